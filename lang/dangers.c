/* Functions on which tracing hangs the kernel or makes it recurse. */
#include "lang/check.h"

enum danger_class { CORE, LOCK, HELPER };

static const struct {
	const char *pattern;
	enum danger_class class;
} dangers[] = {
#define DANGER(pattern, class) {pattern, class},
#include "lang/dangers.def"
#undef DANGER
};

static bool is_trampoline(const struct probe_spec *s)
{
	return s->kind->id == PROBE_FENTRY || s->kind->id == PROBE_FEXIT;
}

const char *danger_of(struct checker *c, const struct probe_spec *s)
{
	bool kprobe = s->kind->id == PROBE_KPROBE || s->kind->id == PROBE_KRETPROBE;
	size_t i;

	if (!kprobe && !is_trampoline(s))
		return NULL;
	for (i = 0; i < sizeof(dangers) / sizeof(*dangers); i++) {
		if (!str_match(str_of(dangers[i].pattern), s->function))
			continue;
		switch (dangers[i].class) {
		case CORE:
			if (is_trampoline(s))
				return "every program of this kind runs through it";
			break;
		case LOCK:
			if (is_trampoline(s) || c->has_trampolines)
				return "maps and ring buffers take this lock themselves, which can stop a CPU for ever";
			break;
		case HELPER:
			if (is_trampoline(s) && !c->kernel->has(c->kernel, KERNEL_RUN_COUNTERS))
				return "programs call it themselves, and this kernel does not notice the recursion";
			break;
		}
	}
	return NULL;
}
