/* The command line (language.md 18, design.md section 8).  Rows are in options.def.
 *
 * Whose word is it?  waketrace's options come before the script.  Behind a .wt file or a shipped script every word is the
 * script's; behind other files and -e programs options of waketrace are still taken, up to `--`. */
#include "runtime/options.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/shipped.h"

enum option_id {
#define OPTION(id, ...) OPT_##id,
#include "runtime/options.def"
#undef OPTION
	OPT_COUNT
};

static const struct option_row {
	enum option_id id;
	char letter;
	const char *name, *argument, *help;
} rows[] = {
#define OPTION(id, letter, name, argument, help) {OPT_##id, letter, name, argument, help},
#include "runtime/options.def"
#undef OPTION
};

/* Options of bpftrace that are refused, and why (docs/compatibility.md). */
static const struct postponed {
	const char *name, *why, *hint;
} postponed[] = {
	{"dwarf-pid", "user stacks are not unwound by debug information", "ustack follows frame pointers"},
	{"usdt-file-activation", "the kernel counts who uses a static probe, no process has to be searched for it",
	 "leave the option out"},
	{"emit-llvm", "there are no files of LLVM's code", "-d ir and -d ir-opt print it"},
};

struct parser {
	struct arena *arena;
	struct options *opt;
	char **words;
	int n, next;
	bool only_bare;	 /* behind `--` */
	bool only_words; /* behind a script that owns what follows */
};

static bool takes_value(const struct option_row *row)
{
	return *row->argument && *row->argument != '[';
}

/* A wrong command line: say so once, with advice. */
__attribute__((format(printf, 3, 0))) static void complain(struct options *opt, const char *hint, const char *fmt, va_list ap)
{
	if (opt->command == COMMAND_DONE)
		return;
	fputs("ERROR: ", stderr);
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\nHINT: %s\n", hint);
	opt->command = COMMAND_DONE;
	opt->status = 1;
}

__attribute__((format(printf, 3, 4))) static void wrong_hint(struct options *opt, const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(opt, hint, fmt, ap);
	va_end(ap);
}

/* The same with the way to the help. */
__attribute__((format(printf, 2, 3))) static void wrong(struct options *opt, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(opt, "waketrace --help shows all options", fmt, ap);
	va_end(ap);
}

static void show_row(const struct option_row *row, FILE *out)
{
	char left[64], letter[8] = "   ", name[40] = "";

	if (row->letter)
		snprintf(letter, sizeof(letter), "-%c%s", row->letter, *row->name ? "," : "");
	if (*row->name)
		snprintf(name, sizeof(name), " --%s", row->name);
	snprintf(left, sizeof(left), "%s%s%s%s", letter, name, *row->argument ? " " : "", row->argument);
	fprintf(out, "  %-30s%s%s\n", left, strlen(left) > 29 ? "\n                                " : "", row->help);
}

void options_help(FILE *out)
{
	size_t i;

	fputs("Usage: waketrace [options] FILE [words of the script]\n"
	      "       waketrace [options] -e 'program' [parameters] [-- options of the script]\n"
	      "       waketrace [options] NAME [words of the script]      a script that comes with waketrace\n"
	      "       waketrace check FILE                                report mistakes, load nothing\n"
	      "       waketrace build FILE -o TOOL                        compile once...\n"
	      "       waketrace run TOOL [words of the script]            ...and run anywhere\n"
	      "\n"
	      "Options (before the script; FILE may be - for standard input):\n",
	      out);
	for (i = 0; i < OPT_COUNT; i++)
		show_row(&rows[i], out);
	fputs("\nScripts:\n", out);
	shipped_list(out);
	fputs("\nExamples:\n"
	      "  waketrace -e 'tracepoint:syscalls:sys_enter_openat { printf(\"%s %s\\n\", comm, str(args.filename)); }'\n"
	      "  waketrace -e 'tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }'\n"
	      "  waketrace -l 'tracepoint:sched:*'\n",
	      out);
}

/* Completion of options for bash; file names otherwise. */
static void show_completion(FILE *out)
{
	size_t i;

	fputs("# bash completion of waketrace: source this file\n_waketrace() {\n\tlocal scripts='", out);
	shipped_names(out);
	fputs("'\n\tlocal options='", out);
	for (i = 0; i < OPT_COUNT; i++) {
		if (rows[i].letter)
			fprintf(out, "%s-%c", i ? " " : "", rows[i].letter);
		if (*rows[i].name)
			fprintf(out, "%s--%s", i || rows[i].letter ? " " : "", rows[i].name);
	}
	fputs("'\n\tcase ${COMP_WORDS[COMP_CWORD]} in\n\t-*) COMPREPLY=($(compgen -W \"$options\" -- \"${COMP_WORDS[COMP_CWORD]}\")) ;;\n"
	      "\t*) COMPREPLY=($(compgen -f -W \"$scripts\" -- \"${COMP_WORDS[COMP_CWORD]}\")) ;;\n\tesac\n}\ncomplete -F _waketrace waketrace\n",
	      out);
}

static void done(struct options *opt)
{
	opt->command = COMMAND_DONE;
}

static void set_pid(struct options *opt, const char *value)
{
	char *end;
	long pid;

	errno = 0;
	pid = strtol(value, &end, 10);
	if (errno || *end || end == value || pid <= 0 || pid > INT_MAX)
		wrong(opt, "-p takes the number of a process, not '%s'", value);
	opt->session.pid = opt->kernel.pid = (int)pid;
}

static void set_format(struct options *opt, const char *value)
{
	opt->session.json = !strcmp(value, "json");
	if (!opt->session.json && strcmp(value, "text"))
		wrong(opt, "there is no output format '%s': -f takes text or json", value);
}

static void set_buffer(struct options *opt, const char *value)
{
	if (strcmp(value, "line") && strcmp(value, "full") && strcmp(value, "none"))
		wrong(opt, "-B takes line, full or none, not '%s'", value);
	opt->session.buffering = *value;
}

/* A list of words separated by commas: each is handed to `one`. */
static void each_word(struct options *opt, struct str list, void (*one)(struct options *opt, struct str word))
{
	while (list.n) {
		size_t comma = str_find(list, ',');

		one(opt, str_sub(list, 0, comma));
		list = str_sub(list, comma + 1, list.n);
	}
}

static void add_stage(struct options *opt, struct str word)
{
	static const struct {
		const char *name;
		unsigned bits;
	} stages[] = {
		{"ast", STAGE_AST}, {"types", STAGE_TYPES}, {"ir", STAGE_IR}, {"codegen", STAGE_IR}, {"ir-opt", STAGE_IR_OPT},
		{"codegen-opt", STAGE_IR_OPT}, {"asm", STAGE_ASM}, {"manifest", STAGE_MANIFEST}, {"libbpf", STAGE_LIBBPF},
		{"verifier", STAGE_VERIFIER}, {"all", STAGES_ALL},
	};
	size_t i;

	for (i = 0; i < sizeof(stages) / sizeof(*stages); i++) {
		if (str_is(word, stages[i].name)) {
			opt->stages |= stages[i].bits;
			return;
		}
	}
	wrong(opt, "-d knows no stage '%.*s': it takes ast, types, ir, ir-opt, asm, manifest, libbpf, verifier or all", STR_ARG(word));
}

static void drop_feature(struct options *opt, struct str word)
{
	static const char *const names[] = {
#define KERNEL_FEATURE(id, name, help) [KERNEL_##id] = name,
#include "lang/kernel_features.def"
#undef KERNEL_FEATURE
	};
	int f;

	for (f = 0; f < KERNEL_FEATURE_COUNT; f++) {
		if (str_is(word, names[f])) {
			opt->kernel.no_features |= 1u << f;
			return;
		}
	}
	wrong(opt, "there is no ability '%.*s': --info lists them", STR_ARG(word));
}

static void set_mode(struct options *opt, const char *mode)
{
	if (!strcmp(mode, "test"))
		opt->session.test_mode = true;
	else if (!strcmp(mode, "bench"))
		opt->session.bench_mode = true;
	else if (!strcmp(mode, "format"))
		opt->command = COMMAND_FMT;
	else if (!strcmp(mode, "codegen"))
		opt->command = COMMAND_CHECK;
	else if (!strcmp(mode, "compiler-bench"))
		wrong(opt, "--mode compiler-bench is not there: this compiler has no stages to be timed one by one");
	else
		wrong(opt, "there is no mode '%s': --mode takes test, bench, format or codegen", mode);
}

/* --emit-elf, --aot: compile into a file and stop. */
static void set_product(struct options *opt, const char *path, bool command)
{
	if (opt->product)
		wrong(opt, "--emit-elf and --aot each name the one file to be written: give one of them");
	opt->command = COMMAND_BUILD;
	opt->product = path;
	opt->as_command = command;
}

static void set_option(struct options *opt, const struct option_row *row, const char *value, struct arena *a)
{
	switch (row->id) {
	case OPT_EXEC:
		opt->has_program = true;
		opt->program = str_of(value);
		return;
	case OPT_LIST:
		opt->command = COMMAND_LIST;
		return;
	case OPT_PID:
		set_pid(opt, value);
		return;
	case OPT_CMD:
		opt->session.child = value;
		return;
	case OPT_OUTPUT:
		opt->out_path = value;
		return;
	case OPT_FORMAT:
		set_format(opt, value);
		return;
	case OPT_BUFFER:
		set_buffer(opt, value);
		return;
	case OPT_QUIET:
		opt->session.quiet = true;
		return;
	case OPT_VERBOSE:
		opt->session.verbose++;
		return;
	case OPT_WARNINGS:
		if (opt->session.show_helper_errors)
			wrong(opt, "-k stands once: there is no more to show");
		opt->session.show_helper_errors = true;
		return;
	case OPT_NO_WARNINGS:
		opt->session.style.no_warnings = true;
		return;
	case OPT_UNSAFE:
		opt->session.unsafe = opt->kernel.unsafe = true;
		return;
	case OPT_RAW:
		opt->session.raw = true;
		return;
	case OPT_DRY_RUN:
		opt->session.dry_run = true;
		return;
	case OPT_NO_FEATURE:
		each_word(opt, str_of(value), drop_feature);
		return;
	case OPT_FUNCTIONS:
		opt->kernel.traceable_functions = value;
		return;
	case OPT_FILTER:
		opt->probe_filter = value;
		return;
	case OPT_DEBUGINFO:
		opt->kernel.debuginfo = opt->session.debuginfo = value;
		return;
	case OPT_DEBUG:
		each_word(opt, str_of(value), add_stage);
		return;
	case OPT_TEST:
		opt->session.test_mode = true;
		return;
	case OPT_BENCH:
		opt->session.bench_mode = true;
		return;
	case OPT_MODE:
		set_mode(opt, value);
		return;
	case OPT_INCLUDE_DIR:
		VEC_PUSH(a, &opt->include_dirs, str_of(value));
		return;
	case OPT_INCLUDE:
		VEC_PUSH(a, &opt->includes, str_of(value));
		return;
	case OPT_EMIT_ELF:
		set_product(opt, value, false);
		return;
	case OPT_AOT:
		set_product(opt, value, true);
		return;
	case OPT_VERIFY_IR:
		opt->verify_ir = true;
		return;
	case OPT_FMT:
		opt->command = COMMAND_FMT;
		return;
	case OPT_INFO:
		opt->command = COMMAND_INFO;
		return;
	case OPT_BUILTINS:
		opt->command = COMMAND_BUILTINS;
		return;
	case OPT_COMPLETION:
		if (strcmp(value, "bash"))
			wrong(opt, "there is completion for bash only, not for '%s'", value);
		else
			show_completion(stdout);
		done(opt);
		return;
	case OPT_SCRIPTS:
		shipped_list(stdout);
		done(opt);
		return;
	case OPT_BTF:
		if (value)
			opt->kernel.btf = value;
		else
			opt->btf_alone = true;
		return;
	case OPT_HELP:
		options_help(stdout);
		done(opt);
		return;
	case OPT_VERSION:
		puts("waketrace v" WAKETRACE_VERSION);
		done(opt);
		return;
	case OPT_COUNT:
		return;
	}
}

static const struct option_row *by_name(struct options *opt, struct str name)
{
	const struct option_row *found = NULL;
	struct diag_near near = {.wanted = name};
	size_t i;

	for (i = 0; i < sizeof(postponed) / sizeof(*postponed); i++) {
		if (str_is(name, postponed[i].name)) {
			wrong_hint(opt, postponed[i].hint, "--%s is not there: %s", postponed[i].name, postponed[i].why);
			return NULL;
		}
	}
	for (i = 0; i < OPT_COUNT; i++) {
		if (!*rows[i].name)
			continue;
		if (str_is(name, rows[i].name))
			return &rows[i];
		diag_near_try(&near, str_of(rows[i].name));
		if (name.n > 2 && str_starts(str_of(rows[i].name), name)) { /* a beginning that fits one only, as getopt_long */
			if (found)
				goto unknown;
			found = &rows[i];
		}
	}
	if (found)
		return found;
unknown:
	if (near.best.n)
		wrong(opt, "there is no option --%.*s (did you mean --%.*s?)", STR_ARG(name), STR_ARG(near.best));
	else
		wrong(opt, "there is no option --%.*s", STR_ARG(name));
	return NULL;
}

/* bpftrace's scripts of old say --btf alone; behind `check` and `build` it names a file. */
static bool wants_btf(const struct parser *p, const struct option_row *row)
{
	return row->id == OPT_BTF && (p->opt->command == COMMAND_CHECK || p->opt->command == COMMAND_BUILD);
}

static void long_option(struct parser *p, struct str word)
{
	struct str name = str_sub(word, 2, word.n);
	size_t equals = str_find(name, '=');
	const struct option_row *row = by_name(p->opt, str_sub(name, 0, equals));

	if (!row)
		return;
	if (equals < name.n && strncmp(row->argument, "[=", 2) && !takes_value(row))
		wrong(p->opt, "--%s takes no value", row->name);
	else if (equals < name.n)
		set_option(p->opt, row, name.s + equals + 1, p->arena);
	else if (!takes_value(row) && !wants_btf(p, row))
		set_option(p->opt, row, NULL, p->arena);
	else if (p->next < p->n)
		set_option(p->opt, row, p->words[p->next++], p->arena);
	else
		wrong(p->opt, "--%s needs a value: %s", row->name, row->argument);
}

static const struct option_row *by_letter(char letter)
{
	size_t i;

	for (i = 0; i < OPT_COUNT; i++)
		if (rows[i].letter == letter)
			return &rows[i];
	return NULL;
}

/* -q, -qk, -p5, -p 5. */
static void letters(struct parser *p, const char *word)
{
	for (word++; *word && p->opt->command != COMMAND_DONE; word++) {
		const struct option_row *row = by_letter(*word);

		if (!row) {
			wrong(p->opt, "there is no option -%c", *word);
		} else if (!takes_value(row)) {
			set_option(p->opt, row, NULL, p->arena);
		} else if (word[1]) {
			set_option(p->opt, row, word + 1, p->arena);
			return;
		} else if (p->next < p->n) {
			set_option(p->opt, row, p->words[p->next++], p->arena);
			return;
		} else {
			wrong(p->opt, "-%c needs a value: %s", *word, row->argument);
		}
	}
}

static void add_word(struct parser *p, const char *word)
{
	VEC_PUSH(p->arena, &p->opt->words, str_of(word));
}

/* A bare word is first a subcommand, then a shipped script, then a file: a planted ./tcptop is never run by its bare name. */
static void take_script(struct parser *p, const char *word)
{
	struct options *opt = p->opt;

	if (opt->command == COMMAND_TRACE && !strcmp(word, "check")) {
		opt->command = COMMAND_CHECK;
	} else if (opt->command == COMMAND_TRACE && !strcmp(word, "build")) {
		opt->command = COMMAND_BUILD;
	} else if (opt->command == COMMAND_TRACE && !strcmp(word, "run")) {
		opt->command = COMMAND_RUN;
	} else {
		opt->script = word;
		if (opt->command != COMMAND_RUN)
			opt->shipped = shipped_script(str_of(word));
		opt->own_rules = opt->shipped.n || opt->command == COMMAND_RUN || str_ends(str_of(word), STR(".wt"));
		/* `build x.wt -o tool`: the -o is ours */
		p->only_words = opt->own_rules && (opt->command == COMMAND_TRACE || opt->command == COMMAND_RUN);
	}
}

static void take_bare(struct parser *p, const char *word)
{
	struct options *opt = p->opt;

	if (opt->command == COMMAND_LIST || opt->command == COMMAND_BUILTINS) {
		if (opt->operand)
			wrong(opt, "one pattern at a time: '%s' is too many (patterns may be joined by commas)", word);
		opt->operand = word;
	} else if (!opt->has_program && !opt->script) {
		take_script(p, word);
	} else {
		add_word(p, word);
	}
}

static void check_together(struct options *opt)
{
	if (opt->session.pid && opt->session.child)
		wrong(opt, "-c and -p cannot be used together: trace a running process or start one");
	if (opt->session.show_helper_errors && opt->session.style.no_warnings)
		wrong(opt, "-k asks for warnings, --no-warnings for none");
	if (opt->session.test_mode && opt->session.bench_mode)
		wrong(opt, "--test and --bench cannot be used together: run one after the other");
	if ((opt->session.test_mode || opt->session.bench_mode) && opt->command != COMMAND_TRACE && opt->command != COMMAND_RUN)
		wrong(opt, "--test and --bench run a script: they mean nothing here");
	if (opt->kernel.traceable_functions && access(opt->kernel.traceable_functions, R_OK))
		wrong(opt, "the list of --traceable-functions, '%s', cannot be read: %s", opt->kernel.traceable_functions,
		      strerror(errno));
	if (opt->kernel.btf && access(opt->kernel.btf, R_OK))
		wrong(opt, "the types of --btf, '%s', cannot be read: %s", opt->kernel.btf, strerror(errno));
	if (opt->kernel.btf && opt->command == COMMAND_TRACE && !opt->stages)
		wrong(opt, "--btf FILE is for check, build and -d: a trace needs the types of the kernel that runs");
	if (opt->product && opt->out_path)
		wrong(opt, "-o and %s each name the one file to be written: give one of them", opt->as_command ? "--aot" : "--emit-elf");
	if (opt->product)
		opt->out_path = opt->product;
	if (opt->command == COMMAND_BUILD && !opt->out_path)
		wrong(opt, "build needs -o FILE for what it makes");
	if ((opt->command == COMMAND_TRACE || opt->command == COMMAND_CHECK || opt->command == COMMAND_BUILD ||
	     opt->command == COMMAND_RUN || opt->command == COMMAND_FMT) &&
	    !opt->has_program && !opt->script)
		wrong(opt, "no program: give a file, the name of a shipped script, or -e 'program'");
	if (opt->btf_alone && opt->command != COMMAND_DONE && !opt->session.style.no_warnings)
		fputs("WARNING: -b does nothing: the kernel's types are always used where it has them\n", stderr);
}

/* 10 hello -e 'begin { ... }': with -e there is no file, so that what was taken for one is the first parameter. */
static void words_before_program(struct parser *p)
{
	struct options *opt = p->opt;

	if (!opt->has_program || !opt->script)
		return;
	add_word(p, opt->script);
	memmove(opt->words.at + 1, opt->words.at, (size_t)(opt->words.n - 1) * sizeof(*opt->words.at));
	opt->words.at[0] = str_of(opt->script);
	opt->script = NULL;
	opt->own_rules = false;
}

static void set_colour(struct options *opt)
{
	const char *colour = getenv("WAKETRACE_COLOR");

	colour = colour ? colour : getenv("BPFTRACE_COLOR");
	opt->session.never_colour = colour && !strcmp(colour, "never");
	if (colour && strcmp(colour, "always") && strcmp(colour, "never") && strcmp(colour, "auto")) {
		wrong(opt, "WAKETRACE_COLOR takes always, never or auto, not '%s'", colour);
		opt->status = 2;
	}
	if (colour && !strcmp(colour, "always"))
		opt->session.style.colour = true;
	else if (!colour || strcmp(colour, "never"))
		opt->session.style.colour = isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
}

/* Directories of an environment variable that C compilers know, separated by colons. */
static void add_include_path(struct options *opt, struct arena *a, const char *variable)
{
	struct str rest = str_of(getenv(variable));

	while (rest.n) {
		size_t colon = str_find(rest, ':');

		VEC_PUSH(a, &opt->include_dirs, colon ? str_sub(rest, 0, colon) : STR("."));
		rest = str_sub(rest, colon + 1, rest.n);
	}
}

#if defined(__aarch64__)
#define KERNEL_ARCH "arm64"
#elif defined(__riscv)
#define KERNEL_ARCH "riscv"
#elif defined(__s390x__)
#define KERNEL_ARCH "s390"
#elif defined(__powerpc64__)
#define KERNEL_ARCH "powerpc"
#else
#define KERNEL_ARCH "x86"
#endif

/* The headers of a kernel's sources, or what its build made of them, where the environment names such a directory. */
static void add_kernel_headers(struct options *opt, struct arena *a, const char *variable)
{
	static const char *const places[] = {
		"arch/" KERNEL_ARCH "/include", "arch/" KERNEL_ARCH "/include/generated", "include",
		"arch/" KERNEL_ARCH "/include/uapi", "arch/" KERNEL_ARCH "/include/generated/uapi", "include/uapi",
		"include/generated/uapi",
	};
	const char *dir = getenv(arena_printf(a, "WAKETRACE_%s", variable));
	size_t i;

	dir = dir ? dir : getenv(arena_printf(a, "BPFTRACE_%s", variable));
	for (i = 0; dir && *dir && i < sizeof(places) / sizeof(*places); i++)
		VEC_PUSH(a, &opt->include_dirs, str_printf(a, "%s/%s", dir, places[i]));
	opt->kernel_headers = opt->kernel_headers || (dir && *dir);
}

struct options *options_parse(struct arena *a, int argc, char **argv)
{
	struct options *opt = NEW(a, struct options);
	struct parser p = {.arena = a, .opt = opt, .words = argv, .n = argc, .next = 1};

	opt->session.out = stdout;
	opt->session.buffering = 'l';
	set_colour(opt);
	if (argc < 2) {
		options_help(stderr);
		opt->command = COMMAND_DONE;
		opt->status = 1;
	}
	while (p.next < p.n && opt->command != COMMAND_DONE) {
		const char *word = p.words[p.next++];

		if (p.only_words)
			add_word(&p, word);
		else if (p.only_bare)
			take_bare(&p, word);
		else if (!strcmp(word, "--"))
			p.only_bare = true;
		else if (word[0] == '-' && word[1] == '-')
			long_option(&p, str_of(word));
		else if (word[0] == '-' && word[1])
			letters(&p, word);
		else
			take_bare(&p, word);
	}
	add_include_path(opt, a, "CPATH");
	add_include_path(opt, a, "C_INCLUDE_PATH");
	add_kernel_headers(opt, a, "KERNEL_SOURCE");
	add_kernel_headers(opt, a, "KERNEL_BUILD");
	words_before_program(&p);
	if (opt->command != COMMAND_DONE)
		check_together(opt);
	opt->session.dump_libbpf = opt->stages & STAGE_LIBBPF;
	opt->session.dump_verifier = opt->stages & STAGE_VERIFIER;
	return opt;
}
