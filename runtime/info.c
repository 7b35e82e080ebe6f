/* --info.  The rows are in info.def; docs/kernels.md has them with the results of the test kernels. */
#include "runtime/info.h"

#include <string.h>
#include <sys/utsname.h>

#include <bpf/libbpf.h>

#include "runtime/machine.h"

#ifndef WAKETRACE_VERSION
#define WAKETRACE_VERSION "0"
#endif

static void print_system(FILE *out)
{
	char name[256] = "unknown", line[512];
	FILE *f = fopen("/etc/os-release", "re");
	struct utsname u;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "PRETTY_NAME=\"", 13)) {
			line[strcspn(line + 13, "\"\n") + 13] = '\0';
			snprintf(name, sizeof(name), "%.*s", (int)sizeof(name) - 1, line + 13);
		}
	if (f)
		fclose(f);
	fprintf(out, "System\n  OS: %s\n", name);
	if (!uname(&u))
		fprintf(out, "  Kernel: %s %s\n  Arch: %s\n", u.release, u.version, u.machine);
}

static const char *yes(bool is)
{
	return is ? "yes" : "no";
}

static void print_features(struct kernel *k, FILE *out)
{
	fprintf(out, "\nKernel features\n");
#define KERNEL_FEATURE(id, name, help) fprintf(out, "  %-22s %-4s %s\n", name ":", yes(k->has(k, KERNEL_##id)), help);
#include "lang/kernel_features.def"
#undef KERNEL_FEATURE
}

static void print_needs(struct kernel *k, FILE *out)
{
	static const char *const features[] = {
#define KERNEL_FEATURE(id, name, help) [KERNEL_##id] = name,
#include "lang/kernel_features.def"
#undef KERNEL_FEATURE
	};

	fprintf(out, "\nProbes and abilities: what they need, what happens without it\n");
#define NEED(what, feature, without)                                                                                              \
	fprintf(out, "  %-27s %-4s needs %s; without: %s\n", what ":", yes(k->has(k, KERNEL_##feature)), features[KERNEL_##feature], \
		without);
#include "runtime/info.def"
#undef NEED
}

static void print_sources(struct kernel *k, FILE *out)
{
	struct machine *m = machine_of(k);
	const char *tracefs = machine_tracefs(m);

	fprintf(out, "\nSources\n  tracefs: %s\n", tracefs ? tracefs : m->why);
	fprintf(out, "  functions: ");
	if (machine_functions(m))
		fprintf(out, "%d that can be traced\n", m->nfunctions);
	else
		fprintf(out, "%s\n", m->why ? m->why : "not known");
	fprintf(out, "  types: ");
	if (machine_btf(m))
		fprintf(out, "%u in vmlinux\n", m->btf->end_id - 1);
	else
		fprintf(out, "%s\n", m->why);
}

void info_print(struct kernel *k, const char *llvm_version, FILE *out)
{
	print_system(out);
	fprintf(out, "\nBuild\n  version: v%s\n  LLVM: %s\n  libbpf: %u.%u\n", WAKETRACE_VERSION, llvm_version, libbpf_major_version(), libbpf_minor_version());
	print_sources(k, out);
	print_features(k, out);
	print_needs(k, out);
}
