/* The library of plugins. */
int plug_work(int n);
int plug_inner(int n);

__attribute__((noinline, noipa)) int plug_inner(int n)
{
	return n + 1;
}

int plug_work(int n)
{
	return plug_inner(n) + 1;
}
