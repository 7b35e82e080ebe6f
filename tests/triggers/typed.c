/*
 * typed N: the target of uprobes with typed arguments.  It is compiled with -O2 and has debug information.  For i = 1 ... N it calls
 *
 * - ty_plain(-i, "text", &node, true, TY_GREEN, 200): numbers, a text, a struct of structs (see below), an enum
 * - ty_values({-i, i << 40}, {1.5, 9}, 2.5, {{10, 11, 12, 13, 14}}, 1, 2, 3, 4, -6): structs by value in two registers, in one of
 *   each kind and on the stack, a floating-point number, the last one on the stack too
 * - ty_large(i), which returns a struct of 40 bytes: the caller passes its place as a hidden first argument
 * - ty_find(&node), which returns &next
 * - ty_leaf(), from ty_stem(), which is called from ty_inner(), inlined into ty_outer(), inlined into ty_trunk()
 *
 * node is {&next, 42, {{-1, -2, -3}, "first"}, 5 and 17 in bit fields, TY_BLUE}; next is {NULL, 77, {{1, 2, 3}, "second"}}.
 */
#include <stdbool.h>
#include <stdlib.h>

#define TARGET __attribute__((noinline, noipa))
#define INLINED static inline __attribute__((always_inline))

struct ty_inside {
	short x[3];
	char name[8];
};

enum ty_color { TY_RED, TY_GREEN = 5, TY_BLUE = -2 };

struct ty_node {
	struct ty_node *next;
	int value;
	struct ty_inside in;
	unsigned low : 3, high : 5;
	enum ty_color color;
};

typedef struct {
	int a;
	long b;
} ty_pair;

struct ty_mixed {
	double d;
	int i;
};

struct ty_big {
	long v[5];
};

TARGET int ty_plain(int a, const char *text, struct ty_node *node, bool flag, enum ty_color color, unsigned char byte);
TARGET long ty_values(ty_pair pair, struct ty_mixed mixed, double number, struct ty_big big, int one, int two, int three, int four,
		      short last);
TARGET struct ty_big ty_large(int n);
TARGET struct ty_node *ty_find(struct ty_node *node);
TARGET void ty_leaf(void);
TARGET void ty_stem(void);
TARGET void ty_trunk(void);

static volatile int ty_calls;

int ty_plain(int a, const char *text, struct ty_node *node, bool flag, enum ty_color color, unsigned char byte)
{
	return a + text[0] + node->value + flag + (int)color + byte;
}

long ty_values(ty_pair pair, struct ty_mixed mixed, double number, struct ty_big big, int one, int two, int three, int four,
	       short last)
{
	return pair.a + mixed.i + (long)number + big.v[0] + one + two + three + four + last;
}

struct ty_big ty_large(int n)
{
	return (struct ty_big){{n, n}};
}

struct ty_node *ty_find(struct ty_node *node)
{
	return node->next;
}

void ty_leaf(void)
{
	ty_calls += 1;
}

void ty_stem(void)
{
	ty_calls += 2;
	ty_leaf();
	ty_calls += 3;
}

INLINED void ty_inner(void)
{
	ty_stem();
	ty_calls += 4; /* line 95 */
}

INLINED void ty_outer(void)
{
	ty_inner(); /* line 100 */
	ty_calls += 5;
}

void ty_trunk(void)
{
	ty_outer(); /* line 106 */
	ty_calls += 6;
}

/* Places inside of functions: ty_inside(i, &node) and ty_beside(i + 20, &node).  Both have this inlined, one by a number, one by what
 * it was given. */
INLINED void ty_add(int by, struct ty_node *node)
{
	ty_calls += by + node->value; /* line 114 */
}

/* Nothing asks for `lost` any more once ty_leaf() has been called. */
static TARGET int ty_inside(int lost, struct ty_node *node)
{
	ty_calls += lost;
	ty_leaf();
	ty_add(7, node);
	ty_leaf();
	return node->value; /* line 124 */
}

static TARGET void ty_beside(int kept, struct ty_node *node)
{
	ty_leaf();
	ty_add(kept, node);
}

/* A function of two names, called once. */
static TARGET void al_one(void)
{
	ty_calls += 8;
}
void al_two(void) __attribute__((alias("al_one")));

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 1, i;
	struct ty_node next = {.value = 77, .in = {{1, 2, 3}, "second"}};
	struct ty_node node = {&next, 42, {{-1, -2, -3}, "first"}, 5, 17, TY_BLUE};

	for (i = 1; i <= n; i++) {
		ty_plain(-i, "text", &node, true, TY_GREEN, 200);
		ty_values((ty_pair){-i, (long)i << 40}, (struct ty_mixed){1.5, 9}, 2.5, (struct ty_big){{10, 11, 12, 13, 14}}, 1, 2, 3, 4, -6);
		ty_large(i);
		ty_find(&node);
		ty_trunk();
		ty_inside(i, &node);
		ty_beside(i + 20, &node);
		al_one();
	}
	return 0;
}
