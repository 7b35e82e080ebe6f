/* A library with a function of an old version beside its name of today, as the C library has them (test_elf_symbols.c). */
int a_plain_name(int x);
__attribute__((used, weak)) int a_plain_name(int x)
{
	return x + 7;
}

__asm__(".symver a_plain_name, a_versioned_name@WT_1");
