/*
 * utarget N: the target of uprobes.  For i = 1 ... N it calls
 *
 * - wt_add(i, 2 * i), which returns 3 * i
 * - wt_name("item", i), which returns the string it was given
 * - wt_six(1, 2, 3, 4, 5, 6), which returns 21
 * - wt_negative(-i), which returns -i, a 32-bit int
 * - wt_struct(&(struct wt_pair){ i, i * 10, "pair" }), which returns 11 * i
 * - wt_outer(), which calls wt_middle(), which calls wt_inner(): for user stacks
 * - wt_call(wt_called), which calls the function it is given
 * - wt_wild_a(), wt_wild_b(), wt_wild_c(): for wildcards
 *
 * wt_global is an int that holds the number of the call when wt_name returns.
 */
#include <stdint.h>
#include <stdlib.h>

#define TARGET __attribute__((noinline, noipa))

struct wt_pair {
	int32_t a;
	int64_t b;
	char text[8];
};

extern volatile int wt_global;
TARGET long wt_add(long a, long b);
TARGET const char *wt_name(const char *name, int i);
TARGET int wt_six(int a, int b, int c, int d, int e, int f);
TARGET int wt_negative(int n);
TARGET long wt_struct(const struct wt_pair *pair);
TARGET int wt_inner(void);
TARGET int wt_middle(void);
TARGET int wt_outer(void);
TARGET int wt_called(void);
TARGET int wt_call(int (*fn)(void));
TARGET void wt_wild_a(void);
TARGET void wt_wild_b(void);
TARGET void wt_wild_c(void);

volatile int wt_global;

long wt_add(long a, long b)
{
	return a + b;
}

const char *wt_name(const char *name, int i)
{
	wt_global = i;
	return name;
}

int wt_six(int a, int b, int c, int d, int e, int f)
{
	return a + b + c + d + e + f;
}

int wt_negative(int n)
{
	return n;
}

long wt_struct(const struct wt_pair *pair)
{
	return pair->a + pair->b;
}

int wt_inner(void)
{
	return wt_global;
}

int wt_middle(void)
{
	return wt_inner() + 1;
}

int wt_outer(void)
{
	return wt_middle() + 1;
}

int wt_called(void)
{
	return 7;
}

int wt_call(int (*fn)(void))
{
	return fn();
}

void wt_wild_a(void)
{
	wt_global = 1;
}

void wt_wild_b(void)
{
	wt_global = 2;
}

void wt_wild_c(void)
{
	wt_global = 3;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 1;
	long sum = 0;

	for (int i = 1; i <= n; i++) {
		struct wt_pair pair = {i, i * 10, "pair"};

		sum += wt_add(i, 2 * i);
		sum += wt_name("item", i)[0];
		sum += wt_six(1, 2, 3, 4, 5, 6);
		sum += wt_negative(-i);
		sum += wt_struct(&pair);
		sum += wt_outer();
		sum += wt_call(wt_called);
		wt_wild_a();
		wt_wild_b();
		wt_wild_c();
	}
	return sum == -1;
}
