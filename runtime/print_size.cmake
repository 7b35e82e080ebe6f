# cmake -DFILE=... -P print_size.cmake: one line with the size of the finished program.
file(SIZE ${FILE} bytes)
cmake_path(GET FILE FILENAME name)
math(EXPR tenths "(${bytes} + 50000) / 100000")
math(EXPR whole "${tenths} / 10")
math(EXPR rest "${tenths} % 10")
message(STATUS "${name}: ${whole}.${rest} MB, stripped")
