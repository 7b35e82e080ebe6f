/* From the artefact's bytes to loaded programs: constants are patched, probes prepared, the object loaded; a refusal by the
 * kernel is explained by refusal.c. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "runtime/load.h"
#include "runtime/machine.h"
#include "runtime/providers/kprobe_session.h"
#include "runtime/providers/providers.h"
#include "runtime/session_internal.h"
#include "runtime/user_symbols.h"

/* libbpf's print callback has no argument of its own. */
static struct session *loading;

__attribute__((format(printf, 2, 0))) static int on_libbpf(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char *text;

	if (!loading)
		return 0;
	if (loading->opt->dump_libbpf) {
		va_list again;

		va_copy(again, ap);
		vfprintf(stderr, fmt, again);
		va_end(again);
	}
	if (level == LIBBPF_WARN) {
		text = arena_vprintf(loading->arena, fmt, ap);
		strbuf_add(&loading->libbpf_log, str_of(text));
	}
	return 0;
}

/* ---- constants ----------------------------------------------------------------------------------------------------------- */

/* The initial bytes of .rodata, for patching. */
struct rodata {
	struct session *session;
	uint8_t *bytes;
	size_t size;
};

static bool rodata_put(struct rodata *r, struct str name, const void *bytes, uint64_t n)
{
	uint64_t offset, size;

	if (!r->bytes || !artefact_symbol(r->session->elf, ".rodata", name, &offset, &size))
		return false; /* the programs do not use it */
	if (offset > r->size || size > r->size - offset)
		return false;
	memcpy(r->bytes + offset, bytes, n < size ? n : size);
	return true;
}

static bool rodata_number(struct rodata *r, const char *name, uint64_t number)
{
	return rodata_put(r, str_of(name), &number, sizeof(number));
}

static bool put_option(void *arg, const struct manifest_option *o, const void *bytes, uint32_t size)
{
	struct session *s = ((struct rodata *)arg)->session;

	if (o->kind == OPTION_BOOL || o->kind == OPTION_UINT || o->kind == OPTION_INT || o->kind == OPTION_CGROUP)
		memcpy(&s->option_numbers[o - s->manifest->options.at], bytes, size < 8 ? size : 8);
	if (o->kind == OPTION_STRING)
		s->option_texts[o - s->manifest->options.at] =
			str_copy(s->arena, (struct str){bytes, strnlen(bytes, size)});
	rodata_put(arg, o->elf_name, bytes, size); /* an option that no program reads has no variable */
	return true;
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Device and inode of our pid namespace; zeros for the initial one, where the kernel's own numbers are what users see. */
static void put_namespace(struct rodata *r)
{
	enum { INITIAL_INO = 0xeffffffc };
	struct stat st;

	if (stat("/proc/self/ns/pid", &st) || st.st_ino == INITIAL_INO)
		return;
	rodata_number(r, RODATA_PIDNS_DEV, st.st_dev);
	rodata_number(r, RODATA_PIDNS_INO, st.st_ino);
}

/* Programs of one function that ask `func` where no helper tells it. */
static void put_functions(struct rodata *r)
{
	struct session *s = r->session;
	uint64_t offset, size;

	VEC_EACH(row, &s->manifest->probes) {
		const struct probe_spec *spec = row->attach.n == 1 ? row->attach.at[0] : NULL;
		struct str name;

		if (!spec || !spec->function.n || probe_kind(row->kind)->as != AS_KERNEL)
			continue;
		name = manifest_probe_word(s->arena, RODATA_FUNC, spec);
		if (artefact_symbol(s->elf, ".rodata", name, &offset, &size))
			rodata_number(r, name.s, machine_kallsyms_address(spec->module, spec->function));
	}
}

/* Programs that take kernel stacks in the tracepoint of a system call, on kernels that have none there. */
static void put_raw_syscall(struct session *s, struct live_probe *p)
{
	struct bpf_map *map = bpf_object__find_map_by_name(s->object, ".rodata");
	struct rodata r = {.session = s};
	uint64_t offset, size;
	uint32_t on = 1;
	struct str name;

	if (p->row->kind != PROBE_TRACEPOINT || p->row->attach.n != 1 || !map)
		return;
	name = manifest_probe_word(s->arena, RODATA_RAW_SYSCALL, p->row->attach.at[0]);
	if (!artefact_symbol(s->elf, ".rodata", name, &offset, &size) || s->kernel->has(s->kernel, KERNEL_SYSCALL_KSTACK))
		return;
	r.bytes = (uint8_t *)bpf_map__initial_value(map, &r.size);
	p->raw_syscall = rodata_put(&r, name, &on, sizeof(on));
}

/* Variables of traced programs: where their files have them. */
static int put_variables(struct rodata *r)
{
	struct session *s = r->session;

	VEC_EACH(v, &s->manifest->variables) {
		const struct probe_spec *spec = s->manifest->probes.at[v->probe].attach.at[0];
		const char *why = NULL;
		uint64_t words[2];

		if (!user_variable(s->kernel, s->arena, spec, v->name, &words[0], &words[1], &why)) {
			session_message(s, v->span, DIAG_ERROR, NULL, "the variable '%.*s' of the traced program: %s", STR_ARG(v->name), why);
			return 255;
		}
		rodata_put(r, v->elf_name, words, sizeof(words));
	}
	return 0;
}

static uint64_t features_asked(struct session *s)
{
	uint64_t bits = 0;
	int f;

	for (f = 0; f < KERNEL_FEATURE_COUNT; f++)
		if (s->manifest->asks >> f & 1 && s->kernel->has(s->kernel, (enum kernel_feature)f))
			bits |= 1ull << f;
	return bits;
}

/* 0, or the exit status. */
static int patch_rodata(struct session *s)
{
	struct bpf_map *map = bpf_object__find_map_by_name(s->object, ".rodata");
	struct rodata r = {.session = s};
	int i, status;

	if (map)
		r.bytes = (uint8_t *)bpf_map__initial_value(map, &r.size); /* writable until load */
	if (s->manifest->asks)
		rodata_number(&r, RODATA_FEATURES, features_asked(s));
	rodata_number(&r, RODATA_SELF_PID, (uint64_t)s->kernel->self_pid);
	rodata_number(&r, RODATA_FILTER_PID, (uint64_t)s->opt->pid);
	rodata_number(&r, RODATA_CHILD_PID, (uint64_t)s->child.pid);
	rodata_number(&r, RODATA_START_NS, now_ns(CLOCK_BOOTTIME));
	rodata_number(&r, RODATA_TAI_OFFSET, now_ns(CLOCK_TAI) - now_ns(CLOCK_BOOTTIME));
	rodata_number(&r, RODATA_WALL_OFFSET, now_ns(CLOCK_REALTIME) - now_ns(CLOCK_BOOTTIME));
	rodata_number(&r, RODATA_NCPUS, (uint64_t)s->ncpus);
	put_namespace(&r);
	put_functions(&r);
	status = put_variables(&r);
	if (status)
		return status;
	s->option_numbers = NEW_ARRAY(s->arena, uint64_t, s->manifest->options.n + 1);
	s->option_texts = NEW_ARRAY(s->arena, struct str, s->manifest->options.n + 1);
	for (i = 0; i < s->manifest->options.n; i++) {
		s->option_numbers[i] = s->manifest->options.at[i].number;
		s->option_texts[i] = s->manifest->options.at[i].text;
	}
	return script_options_apply(s->arena, s->manifest, s->kernel, s->opt->script_options, s->opt->nscript_options,
				    s->opt->elsewhere, put_option, &r);
}

/* ---- maps ------------------------------------------------------------------------------------------------------------------- */

/* Can a probe send events as often as the traced programs please? */
static bool is_fast(const struct session *s, int probe)
{
	if (probe < 0) /* a function: called by whom is not known */
		return true;
	switch (s->manifest->probes.at[probe].kind) {
	case PROBE_BEGIN:
	case PROBE_END:
	case PROBE_SELF:
	case PROBE_INTERVAL:
	case PROBE_TEST:
	case PROBE_BENCH:
		return false;
	default:
		return true;
	}
}

/* Bytes of the ring buffer: as asked, else by what can happen.  Its pages are cleared when it is made and mapped twice (16 MiB take
 * some milliseconds, and 32 MiB of the resident set), so a script that only prints now and then gets a small one. */
static uint32_t ring_bytes(const struct session *s)
{
	enum { PAGE = 4096, SMALL = 256, LARGE = 4096 };
	uint64_t pages = s->manifest->config.perf_rb_pages, size;
	struct sysinfo info;

	if (!pages) {
		pages = SMALL;
		VEC_EACH(site, &s->manifest->sites)
			if (site->cause == SITE_LOST_EVENT && is_fast(s, site->probe) && !sysinfo(&info))
				pages = (uint64_t)info.freeram * info.mem_unit / PAGE / 512;
		pages = pages < SMALL ? SMALL : pages > LARGE ? LARGE : pages;
	}
	for (size = PAGE; size < pages * PAGE && size < 1u << 30; size *= 2)
		;
	return (uint32_t)size;
}

/* Frames that the kernel takes at most; it refuses maps for more.  The sysctl is the user's to change, not ours. */
static uint32_t most_frames(void)
{
	FILE *f = fopen("/proc/sys/kernel/perf_event_max_stack", "re");
	unsigned most = 127;

	if (f && fscanf(f, "%u", &most) != 1)
		most = 127;
	if (f)
		fclose(f);
	return most;
}

/* The value of option `option` - 1, within bounds.  False: it is not. */
static bool bounded_option(const struct session *s, int option, uint64_t most, uint32_t *n)
{
	uint64_t value = s->option_numbers[option - 1];

	if (value < 1 || value > most) {
		fprintf(stderr, "ERROR: option --%.*s takes a number from 1 to %llu, not %llu\n",
			STR_ARG(s->manifest->options.at[option - 1].name), (unsigned long long)most, (unsigned long long)value);
		return false;
	}
	*n = (uint32_t)value;
	return true;
}

/* False: an option that says how deep or how many is out of bounds. */
static bool size_stacks(struct session *s)
{
	enum { MOST_DEEP = 1024, MOST_KEPT = 1 << 24 /* MOST_STACKS of the checker */ };
	uint32_t most = s->manifest->stacks.n ? most_frames() : 0;
	bool told = s->opt->style.no_warnings;
	int k;

	VEC_EACH(row, &s->manifest->stacks) {
		uint32_t depth = row->depth, kept = 0, frames;

		if ((row->depth_option && !bounded_option(s, row->depth_option, MOST_DEEP, &depth)) ||
		    (row->kept_option && !bounded_option(s, row->kept_option, MOST_KEPT, &kept)))
			return false;
		frames = depth + row->spare;
		if (depth > most && !told) {
			diag_print_now(stderr, s->opt->style, (struct span){0}, DIAG_WARNING,
				       arena_printf(s->arena, "stacks of %u frames are cut: this kernel takes at most %u", depth, most),
				       "sysctl kernel.perf_event_max_stack is the limit", false);
			told = true;
		}
		for (k = 0; k < 2; k++) {
			struct bpf_map *map = row->elf_name[k].n
						      ? bpf_object__find_map_by_name(s->object, str_c(s->arena, row->elf_name[k]))
						      : NULL;
			uint32_t frame = row->build_id ? sizeof(struct bpf_stack_build_id) : sizeof(uint64_t);

			if (map && row->elf_name[1].n)
				bpf_map__set_value_size(map, (frames < most ? frames : most) * frame);
			if (map && kept)
				bpf_map__set_max_entries(map, k && kept > 1 ? kept / 2 : kept); /* clashes are few */
		}
	}
	return true;
}

static bool size_maps(struct session *s)
{
	struct bpf_map *ring = bpf_object__find_map_by_name(s->object, ELF_RINGBUF);

	struct bpf_map *scratch = bpf_object__find_map_by_name(s->object, ELF_SCRATCH);

	if (!size_stacks(s))
		return false;
	if (ring)
		bpf_map__set_max_entries(ring, ring_bytes(s));
	if (scratch) /* the object has the elements of one CPU */
		bpf_map__set_max_entries(scratch, bpf_map__max_entries(scratch) * (uint32_t)s->ncpus);
	return true;
}

/* What the kernel made of each map of the script.  False: the artefact contradicts its manifest. */
static bool note_maps(struct session *s)
{
	int i;

	s->maps = NEW_ARRAY(s->arena, struct live_map, s->manifest->maps.n);
	for (i = 0; i < s->manifest->maps.n; i++) {
		const struct manifest_map *row = &s->manifest->maps.at[i];
		struct bpf_map *map = bpf_object__find_map_by_name(s->object, str_c(s->arena, row->elf_name));
		struct live_map *live = &s->maps[i];
		enum bpf_map_type type;

		*live = (struct live_map){.row = row, .fd = -1, .twin_fd = -1};
		if (!map)
			return false;
		type = bpf_map__type(map);
		live->key_size = bpf_map__key_size(map);
		live->value_size = bpf_map__value_size(map);
		live->max_entries = bpf_map__max_entries(map);
		live->is_array = type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_PERCPU_ARRAY;
		live->percpu = type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_LRU_PERCPU_HASH ||
			       type == BPF_MAP_TYPE_PERCPU_ARRAY;
		if (live->value_size < row->value_size || !live->max_entries ||
		    (row->key >= 0 && live->key_size < s->manifest->shapes.at[row->key].size))
			return false;
	}
	return true;
}

/* The word that says which of a map and its twin programs use.  Mapped, so that turning it is one store. */
static volatile uint32_t *turn_of(struct session *s, struct str name)
{
	struct bpf_map *bss = bpf_object__find_map_by_name(s->object, ".bss");
	uint64_t offset, size;

	if (!bss || !artefact_symbol(s->elf, ".bss", name, &offset, &size) || size != sizeof(uint32_t) || offset % 4)
		return NULL;
	if (!s->bss) {
		s->bss_size = bpf_map__value_size(bss);
		s->bss = mmap(NULL, s->bss_size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(bss), 0);
		if (s->bss == MAP_FAILED)
			s->bss = NULL;
	}
	return s->bss && offset + size <= s->bss_size ? (volatile uint32_t *)((char *)s->bss + offset) : NULL;
}

static void note_twin(struct session *s, struct live_map *map)
{
	struct bpf_map *twin = bpf_object__find_map_by_name(s->object, str_c(s->arena, map->row->elf_twin));

	if (!map->row->elf_twin.n || !twin || bpf_map__value_size(twin) != map->value_size ||
	    bpf_map__key_size(twin) != map->key_size)
		return;
	map->twin_fd = bpf_map__fd(twin);
	map->turn = turn_of(s, map->row->elf_turn);
}

static void note_map_fds(struct session *s)
{
	struct bpf_map *sites = bpf_object__find_map_by_name(s->object, ELF_SITES);
	struct bpf_map *rodata = bpf_object__find_map_by_name(s->object, ".rodata");
	int i;

	for (i = 0; i < s->manifest->maps.n; i++) {
		s->maps[i].fd = bpf_map__fd(bpf_object__find_map_by_name(s->object, str_c(s->arena, s->maps[i].row->elf_name)));
		note_twin(s, &s->maps[i]);
	}
	if (sites && bpf_map__value_size(sites) == 16 && bpf_map__max_entries(sites) >= (uint32_t)s->manifest->sites.n)
		s->sites_fd = bpf_map__fd(sites);
	s->env.rodata_fd = rodata ? bpf_map__fd(rodata) : -1;
}

/* ---- probes ------------------------------------------------------------------------------------------------------------------ */

/* The first feature of `bits` that this kernel lacks, -1: none. */
static int missing_feature(struct session *s, uint32_t bits)
{
	int f;

	for (f = 0; f < KERNEL_FEATURE_COUNT; f++)
		if (bits >> f & 1 && !s->kernel->has(s->kernel, (enum kernel_feature)f))
			return f;
	return -1;
}

static const char *feature_help(int f)
{
	static const char *const help[] = {
#define KERNEL_FEATURE(id, name, text) [KERNEL_##id] = name " (" text ")",
#include "lang/kernel_features.def"
#undef KERNEL_FEATURE
	};

	return help[f];
}

static void leave_out(struct live_probe *p, int err, const char *why)
{
	int i;

	p->skipped = true;
	if (p->prog)
		bpf_program__set_autoload(p->prog, false);
	for (i = 0; i < p->row->attach.n; i++)
		if (!p->points[i].err)
			probe_point_failed(p, i, err, why, NULL);
}

/* 0, or the exit status. */
static int prepare_probe(struct session *s, struct live_probe *p)
{
	int missing = missing_feature(s, p->row->needs), err;

	p->provider = provider_of(p->row->kind);
	p->points = NEW_ARRAY(s->arena, struct live_point, p->row->attach.n + 1);
	p->prog = bpf_object__find_program_by_name(s->object, str_c(s->arena, p->row->elf_name));
	if (!p->prog) {
		session_message(s, p->row->span, DIAG_ERROR, NULL, "the artefact has no program for %.*s", STR_ARG(p->row->name));
		return 255;
	}
	if (!session_runs_kind(s, p->row->kind)) {
		p->skipped = true;
		return 0;
	}
	bpf_program__set_autoload(p->prog, true);
	if (missing >= 0) {
		session_message(s, p->row->span, DIAG_ERROR, NULL, "%.*s needs what this kernel does not have: %s",
				STR_ARG(p->row->name), feature_help(missing));
		return 255;
	}
	if (!p->provider) {
		leave_out(p, EOPNOTSUPP, "this build of waketrace cannot attach it");
		return 0;
	}
	p->reverse = probe_kind(p->row->kind)->reverse;
	put_raw_syscall(s, p);
	err = p->provider->prepare ? p->provider->prepare(p, &s->env) : 0;
	if (err)
		leave_out(p, -err, NULL); /* told with the other points that cannot be attached */
	return 0;
}

static int prepare_probes(struct session *s)
{
	struct bpf_program *prog;
	int i, status;

	bpf_object__for_each_program(prog, s->object)
		bpf_program__set_autoload(prog, false);
	s->probes = NEW_ARRAY(s->arena, struct live_probe, s->manifest->probes.n + 1);
	for (i = 0; i < s->manifest->probes.n; i++) {
		s->probes[i].row = &s->manifest->probes.at[i];
		s->probes[i].number = i;
	}
	/* What options may switch off is attached by itself or not at all. */
	if (!s->manifest->options.n)
		kprobe_sessions_pair(s->arena, s->probes, s->manifest->probes.n);
	for (i = 0; i < s->manifest->probes.n; i++) {
		status = prepare_probe(s, &s->probes[i]);
		if (status)
			return status;
	}
	return 0;
}

/* ---- the door ------------------------------------------------------------------------------------------------------------------ */

/* Do the kernel structs that are copied as a whole lie here as where the artefact was built? */
static bool check_layouts(struct session *s)
{
	struct types *types = s->manifest->layouts.n ? types_new(s->arena) : NULL;

	VEC_EACH(l, &s->manifest->layouts) {
		const char *word = l->is_union ? "union" : "struct";
		const struct type *here = NULL;

		if (l->name.n)
			here = s->kernel->type_by_name(s->kernel, types, l->is_union ? TAG_UNION : TAG_STRUCT, l->name);
		if (!here && l->name.n)
			here = s->kernel->type_by_name(s->kernel, types, TAG_NONE, l->name);
		if (here && type_layout(types, here) == l->hash)
			continue;
		session_message(s, -1, DIAG_ERROR, "build it again on this machine, or let the script use single fields, which are found everywhere",
				"the script copies a whole '%s %.*s', which this kernel %s", word, STR_ARG(l->name.n ? l->name : STR("(anonymous)")),
				here ? "lays out in another way than the one where it was built" : "may not know by that name");
		return false;
	}
	return true;
}

/* May this artefact run here? */
static int check_kernel(struct session *s)
{
	int missing = missing_feature(s, s->manifest->needs);

	if (missing >= 0) {
		session_message(s, -1, DIAG_ERROR, NULL, "the script needs what this kernel does not have: %s", feature_help(missing));
		return 255;
	}
	return s->opt->elsewhere && !check_layouts(s) ? 255 : 0;
}

/* A tool may have been damaged since it was built, and libbpf follows its types blindly. */
static bool sound_types(struct session *s)
{
	struct str bytes = str_copy(s->arena, artefact_section(s->elf, ".BTF")); /* aligned */
	const char *why;
	struct btf_file *f = bytes.n ? btf_parse(s->arena, bytes.s, bytes.n, STR("artefact"), NULL, &why) : NULL;
	bool sound = f && btf_is_sound(f);

	btf_close(f);
	return sound;
}

static int open_object(struct session *s)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "waketrace");

	if (s->opt->elsewhere && !sound_types(s)) {
		session_message(s, -1, DIAG_ERROR, NULL, "the artefact is damaged: its types refer to what is not there");
		return 255;
	}
	/* The log is asked for only after a refusal; memory that is not touched costs nothing. */
	opts.kernel_log_size = s->manifest->config.log_size < 4096 ? 4096 : (size_t)s->manifest->config.log_size;
	s->verifier_log = calloc(1, opts.kernel_log_size);
	opts.kernel_log_buf = s->verifier_log;
	if (!s->verifier_log)
		opts.kernel_log_size = 0;
	fentry_targets_begin(&s->env);
	s->object = bpf_object__open_mem(s->elf.s, s->elf.n, &opts);
	if (!s->object) {
		session_message(s, -1, DIAG_ERROR, NULL, "the artefact is damaged: %s", strerror(errno));
		return 255;
	}
	return 0;
}

/* -d verifier: what the verifier says of every program, also of accepted ones. */
static void ask_for_logs(struct session *s)
{
	size_t size = s->manifest->config.log_size < 4096 ? 4096 : (size_t)s->manifest->config.log_size;
	int i;

	for (i = 0; s->opt->dump_verifier && i < s->manifest->probes.n; i++) {
		char *log = calloc(1, size);

		if (!log || s->probes[i].skipped) {
			free(log);
			continue;
		}
		bpf_program__set_log_buf(s->probes[i].prog, log, size);
		bpf_program__set_log_level(s->probes[i].prog, 1);
	}
}

static void show_logs(struct session *s)
{
	int i;

	for (i = 0; s->opt->dump_verifier && s->probes && i < s->manifest->probes.n; i++) {
		size_t size;
		const char *log = s->probes[i].prog ? bpf_program__log_buf(s->probes[i].prog, &size) : NULL;

		if (log && log != s->verifier_log && *log)
			printf("; %.*s\n%s\n", STR_ARG(s->probes[i].row->name), log);
	}
}

static void free_logs(struct session *s)
{
	int i;

	for (i = 0; s->opt->dump_verifier && s->probes && i < s->manifest->probes.n; i++) {
		size_t size;
		const char *log = s->probes[i].prog ? bpf_program__log_buf(s->probes[i].prog, &size) : NULL;

		if (log && log != s->verifier_log)
			free((char *)log);
	}
	free(s->verifier_log);
	s->verifier_log = NULL;
}

int session_load(struct session *s)
{
	int status = check_kernel(s), err;

	if (status)
		return status;
	loading = s;
	s->libbpf_log.arena = s->arena;
	libbpf_set_print(on_libbpf);
	status = open_object(s);
	if (!status)
		status = patch_rodata(s);
	if (!status)
		status = size_maps(s) ? 0 : 1;
	if (!status && !note_maps(s)) {
		session_message(s, -1, DIAG_ERROR, NULL, "the artefact is damaged: its maps are not those of its manifest");
		status = 255;
	}
	if (!status)
		status = prepare_probes(s);
	if (!status) {
		ask_for_logs(s);
		err = bpf_object__load(s->object);
		show_logs(s);
		if (err)
			status = s->opt->may_shrink && refusal_is_of_size(s, err) ? SESSION_TOO_LARGE : refusal_explain(s, err);
		else
			note_map_fds(s);
		free_logs(s);
	} else {
		free_logs(s);
	}
	loading = NULL;
	return status;
}

int session_program_ids(struct session *s, uint32_t **ids)
{
	int i, n = 0;

	*ids = NEW_ARRAY(s->arena, uint32_t, s->manifest->probes.n + 1);
	for (i = 0; i < s->manifest->probes.n; i++) {
		struct bpf_prog_info info = {0};
		uint32_t size = sizeof(info);

		if (!s->probes[i].skipped && !bpf_obj_get_info_by_fd(bpf_program__fd(s->probes[i].prog), &info, &size))
			(*ids)[n++] = info.id;
	}
	return n;
}
