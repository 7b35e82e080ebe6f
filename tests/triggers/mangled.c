/*
 * mangled N: functions with the names that C++ and Rust compilers give.  For i = 1 ... N it calls
 *
 * - wt::spin(int) with i, wt::spin(double), wt::Box<int>::get() const and wt::operator()-like names of C++
 * - wt_rust::old of Rust's old scheme and wt_rust::young of its new one (v0)
 */
#include <stdlib.h>

#define TARGET(name) __asm__(name) __attribute__((noinline, noipa))

int spin_int(int n) TARGET("_ZN2wt4spinEi");
int spin_double(double n) TARGET("_ZN2wt4spinEd");
int box_get(const int *box) TARGET("_ZNK2wt3BoxIiE3getEv");
int call_operator(const int *self, int n) TARGET("_ZN2wt5AdderclEi");
int rust_old(int n) TARGET("_ZN7wt_rust3old17h0123456789abcdefE");
int rust_young(int n) TARGET("_RNvC7wt_rust5young");

int spin_int(int n)
{
	return n;
}

int spin_double(double n)
{
	return (int)n;
}

int box_get(const int *box)
{
	return *box;
}

int call_operator(const int *self, int n)
{
	return *self + n;
}

int rust_old(int n)
{
	return n;
}

int rust_young(int n)
{
	return rust_old(n) + 1;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 1, i, sum = 0;

	for (i = 1; i <= n; i++)
		sum += spin_int(i) + spin_double(i) + box_get(&i) + call_operator(&i, 1) + rust_young(i);
	return sum == -1;
}
