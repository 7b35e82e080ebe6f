struct from_header { int a; };
