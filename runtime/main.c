/* waketrace: the only file that sees every room.  Source text becomes a checked program, which becomes an object and a manifest,
 * which become events and maps, which become text. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codegen/codegen.h"
#include "lang/builtin.h"
#include "lang/fmt.h"
#include "lang/lang.h"
#include "lang/parse.h"
#include "runtime/list.h"
#include "runtime/info.h"
#include "runtime/options.h"

extern char **environ;

/* Settings of the environment. */
static const char *const *settings(struct arena *a)
{
	VEC(const char *) env = {0};
	char **e;

	for (e = environ; *e; e++)
		if (!strncmp(*e, "WAKETRACE_", 10) || !strncmp(*e, "BPFTRACE_", 9))
			VEC_PUSH(a, &env, *e);
	VEC_PUSH(a, &env, NULL);
	return env.at;
}

static struct str directory_of(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? (struct str){path, (size_t)(slash - path)} : STR(".");
}

static struct lang_options lang_options(struct arena *a, struct options *opt)
{
	return (struct lang_options){
		.params = opt->words.at, .nparams = opt->words.n, .shipped = opt->shipped.n > 0,
		.unsafe = opt->session.unsafe, .has_pid = opt->session.pid,
		.has_child = opt->session.child, .for_later = opt->command == COMMAND_BUILD,
		.env = settings(a), .probe_filter = str_of(opt->probe_filter),
		.script_dir = opt->shipped.n ? STR(SHIPPED_DIR) : directory_of(opt->script),
		.test_mode = opt->session.test_mode, .bench_mode = opt->session.bench_mode,
		.include_dirs = opt->include_dirs.at, .ninclude_dirs = opt->include_dirs.n,
		.kernel_headers = opt->kernel_headers,
		.includes = opt->includes.at, .nincludes = opt->includes.n, .bad_environment = &opt->bad_environment,
	};
}

static const struct program *check(struct arena *a, struct options *opt, const struct source *src, struct kernel *kernel,
				   struct diag *diag)
{
	struct lang_options lang = lang_options(a, opt);

	return lang_check(a, src, kernel, &lang, diag);
}

static void show(const char *stage, const struct strbuf *text, const struct options *opt)
{
	if (opt->stages & (opt->stages - 1)) /* several stages: tell them apart */
		printf("--- %s ---\n", stage);
	fwrite(text->s ? text->s : "", 1, text->n, stdout);
	if (text->n && text->s[text->n - 1] != '\n')
		putchar('\n');
}

static void show_ast(struct arena *a, const struct options *opt, const struct source *src, struct diag *diag)
{
	struct strbuf text = {.arena = a};
	struct script *script = opt->stages & STAGE_AST ? parse(a, src, diag) : NULL;

	if (!script)
		return;
	ast_dump(script, &text);
	show("ast", &text, opt);
}

static void show_types(struct arena *a, const struct options *opt, const struct program *prog)
{
	struct strbuf text = {.arena = a};

	if (!(opt->stages & STAGE_TYPES))
		return;
	program_dump(prog, &text);
	show("types", &text, opt);
}

/* Generate, showing the stages that are asked for. */
static const struct artefact *emit(struct arena *a, const struct options *opt, const struct program *prog, struct diag *diag)
{
	struct strbuf ir = {.arena = a}, ir_opt = {.arena = a}, assembly = {.arena = a}, manifest = {.arena = a};
	struct codegen_dump dump = {
		.ir = opt->stages & STAGE_IR ? &ir : NULL,
		.ir_opt = opt->stages & STAGE_IR_OPT ? &ir_opt : NULL,
		.assembly = opt->stages & STAGE_ASM ? &assembly : NULL,
		.manifest = opt->stages & STAGE_MANIFEST ? &manifest : NULL,
		.verify = opt->verify_ir,
	};
	const struct artefact *art = codegen_emit(a, prog, 0, &dump, diag);

	if (dump.ir)
		show("ir", &ir, opt);
	if (dump.ir_opt)
		show("ir-opt", &ir_opt, opt);
	if (dump.assembly)
		show("asm", &assembly, opt);
	if (dump.manifest)
		show("manifest", &manifest, opt);
	return art;
}

/* Print what was found; the exit status: 0, 1, or 2 when the script's C text or the environment is at fault. */
static int report(const struct options *opt, struct diag *diag)
{
	int status = diag_errors(diag) ? 1 : 0;

	if (status && (opt->bad_environment || diag_has(diag, DIAG_C_DIRECTIVE, DIAG_C_REDEFINED)))
		status = 2;
	diag_report(diag, opt->session.style.json ? opt->session.out : stderr, opt->session.style);
	return status;
}

/* From text to artefact; NULL when there are errors, or when -d asked for no more.  `checked`: the program, NULL if unwanted. */
static const struct artefact *compile(struct arena *a, struct options *opt, struct kernel *kernel, struct diag *diag,
				      const struct program **checked)
{
	const struct source *src = read_script(a, opt, diag);
	const struct program *prog;

	if (!src)
		return NULL;
	show_ast(a, opt, src, diag);
	if (diag_errors(diag) || (opt->stages && !(opt->stages & ~(unsigned)STAGE_AST)))
		return NULL;
	prog = check(a, opt, src, kernel, diag);
	if (!prog)
		return NULL;
	if (checked)
		*checked = prog;
	show_types(a, opt, prog);
	if (opt->stages && !(opt->stages & ~(unsigned)(STAGE_AST | STAGE_TYPES)))
		return NULL;
	return emit(a, opt, prog, diag);
}

/* `NAME --help`, `NAME -p 5 --help`, `NAME.wt -- --help`. */
static bool wants_help(const struct options *opt)
{
	VEC_EACH(word, &opt->words)
		if (opt->own_rules && str_is(*word, "--help"))
			return true;
	return false;
}

/* What the script says of itself.  Nothing is checked or attached: that needs neither rights nor a kernel that has the probes. */
static int show_help(struct arena *a, struct options *opt, struct kernel *kernel, struct diag *diag)
{
	const struct source *src = read_script(a, opt, diag);
	struct lang_options lang = lang_options(a, opt);
	struct declared_options declared = {0};
	struct manifest m = {0};

	if (src && lang_declared_options(a, src, kernel, &lang, diag, &declared)) {
		VEC_EACH(o, &declared.list)
			VEC_PUSH(a, &m.options, (struct manifest_option){
				.name = o->name, .letter = o->letter, .kind = o->kind, .help = o->help});
		script_help(src, &m, stdout);
		return 0;
	}
	diag_report(diag, stderr, opt->session.style);
	return 1;
}

/* 0 or the exit status. */
static int open_output(struct options *opt)
{
	if (!opt->out_path)
		return 0;
	opt->session.out = fopen(opt->out_path, "we");
	if (opt->session.out)
		return 0;
	fprintf(stderr, "ERROR: cannot write '%s': %s\n", opt->out_path, strerror(errno));
	return 1;
}

static int run_artefact(struct arena *a, struct str elf, struct kernel *kernel, struct options *opt)
{
	int status;

	if (wants_help(opt))
		return script_help_built(a, elf, stdout) ? 0 : 1;
	status = open_output(opt);
	if (status)
		return status;
	opt->session.script_options = opt->words.at;
	opt->session.nscript_options = opt->words.n;
	opt->session.load_only = opt->stages != 0;
	status = session_trace(elf, kernel, &opt->session);
	if (opt->out_path && fclose(opt->session.out) && !status) {
		fprintf(stderr, "ERROR: cannot write '%s': %s\n", opt->out_path, strerror(errno));
		return 1;
	}
	return status;
}

/* What cannot be known of probes without rights: then their lack is the one thing to tell. */
static bool is_for_want_of_rights(const struct diag *diag)
{
	return (diag_has(diag, DIAG_NO_ARGS, DIAG_NO_ARGS) || diag_has(diag, DIAG_PROBE_SOURCE, DIAG_PROBE_SOURCE)) && !session_allowed();
}

static void tell_smaller(const struct options *opt)
{
	if (opt->session.verbose)
		fputs("The programs are too large for the verifier: trying smaller, slower ones\n", stderr);
}

/* The verifier gave up on the quick form of the programs: on with the smaller ones. */
static int run_smaller(struct arena *a, struct options *opt, const struct program *prog, struct kernel *kernel)
{
	struct diag *diag = diag_new(a); /* warnings have been reported */
	int n = codegen_forms(prog), form, status = SESSION_TOO_LARGE;

	for (form = 1; form < n && status == SESSION_TOO_LARGE; form++) {
		const struct artefact *art = codegen_emit(a, prog, form, NULL, diag);

		if (!art)
			return report(opt, diag);
		tell_smaller(opt);
		opt->session.may_shrink = form + 1 < n;
		status = run_artefact(a, art->elf, kernel, opt);
	}
	return status;
}

static int trace(struct arena *a, struct options *opt, struct kernel *kernel, struct diag *diag)
{
	const struct program *prog = NULL;
	const struct artefact *art;
	int status;

	if (wants_help(opt))
		return show_help(a, opt, kernel, diag);
	art = compile(a, opt, kernel, diag, &prog);
	if (!art && !opt->stages && is_for_want_of_rights(diag))
		return 1;
	status = report(opt, diag);
	if (!art || status)
		return status;
	if (opt->stages && !(opt->stages & (STAGE_LIBBPF | STAGE_VERIFIER)))
		return 0;
	opt->session.may_shrink = !opt->stages;
	status = run_artefact(a, art->elf, kernel, opt);
	return status == SESSION_TOO_LARGE ? run_smaller(a, opt, prog, kernel) : status;
}

static int check_only(struct arena *a, struct options *opt, struct kernel *kernel, struct diag *diag)
{
	int status = open_output(opt);

	if (status)
		return status;
	opt->session.style.json = opt->session.json;
	compile(a, opt, kernel, diag, NULL);
	status = report(opt, diag);
	if (opt->out_path && fclose(opt->session.out)) {
		fprintf(stderr, "ERROR: cannot write '%s': %s\n", opt->out_path, strerror(errno));
		return 1;
	}
	return status ? 1 : 0;
}

/* The first line of a command made by --aot. */
static const struct str command_line = {"#!/usr/bin/env -S waketrace run\n", 32};

/* May a verifier find the programs too large?  Those that have been refused for their paths had more than 3,000 instructions; frames
 * that are too much together are those of functions that call each other, which lie in .text. */
static bool may_be_too_large(struct str elf)
{
	enum { MANY = 3000, MANY_CALLED = 300 };

	return artefact_instructions(elf, NULL) > MANY || artefact_instructions(elf, ".text") > MANY_CALLED;
}

/* What `run` takes: the artefact, and behind it its smaller form where that may be needed. */
static struct str tool_bytes(struct arena *a, const struct program *prog, const struct artefact *art)
{
	struct strbuf bytes = {.arena = a};
	const struct artefact *smaller = NULL;

	if (may_be_too_large(art->elf) && codegen_forms(prog) > 1)
		smaller = codegen_emit(a, prog, 1, NULL, diag_new(a));
	strbuf_add(&bytes, art->elf);
	if (!smaller)
		return strbuf_str(&bytes);
	while (bytes.n % TOOL_ALIGN)
		strbuf_addc(&bytes, 0);
	strbuf_add(&bytes, smaller->elf);
	return strbuf_str(&bytes);
}

/* The artefact, as a file that `run` takes. */
static int build(struct arena *a, struct options *opt, struct kernel *kernel, struct diag *diag)
{
	const struct program *prog = NULL;
	const struct artefact *art = compile(a, opt, kernel, diag, &prog);
	int status = report(opt, diag);
	struct str tool;
	bool ok = true;

	if (!art || status)
		return status;
	tool = tool_bytes(a, prog, art);
	status = open_output(opt);
	if (status)
		return status;
	if (opt->as_command)
		ok = fwrite(command_line.s, 1, command_line.n, opt->session.out) == command_line.n &&
		     !fchmod(fileno(opt->session.out), 0755);
	ok = ok && fwrite(tool.s, 1, tool.n, opt->session.out) == tool.n;
	ok = !fclose(opt->session.out) && ok;
	if (!ok)
		fprintf(stderr, "ERROR: cannot write '%s': %s\n", opt->out_path, strerror(errno));
	return !ok;
}

static int run_file(struct arena *a, struct options *opt, struct kernel *kernel)
{
	size_t size;
	const char *bytes = read_whole(a, opt->script, &size);
	struct str elf, smaller;
	int status;

	if (!bytes) {
		fprintf(stderr, "ERROR: cannot open '%s': %s\n", opt->script, strerror(errno));
		return 1;
	}
	elf = (struct str){bytes, size};
	if (str_starts(elf, STR("#!"))) /* a command; the copy is aligned again */
		elf = str_copy(a, str_sub(elf, str_find(elf, '\n') + 1, elf.n));
	opt->session.elsewhere = true;
	smaller = artefact_first(elf);
	smaller = str_sub(elf, (smaller.n + TOOL_ALIGN - 1) / TOOL_ALIGN * TOOL_ALIGN, elf.n);
	opt->session.may_shrink = smaller.n > 0;
	status = run_artefact(a, artefact_first(elf), kernel, opt);
	if (status != SESSION_TOO_LARGE)
		return status;
	tell_smaller(opt);
	opt->session.may_shrink = false;
	return run_artefact(a, smaller, kernel, opt);
}

static int show_builtins(struct arena *a, const struct options *opt)
{
	struct diag_near near = {.wanted = str_of(opt->operand)};
	struct strbuf text = {.arena = a};

	if (!builtin_help(str_of(opt->operand), &text)) {
		builtin_near(&near, true, true);
		fprintf(stderr, "ERROR: there is no builtin '%s'\n", opt->operand);
		if (near.best.n)
			fprintf(stderr, "HINT: did you mean '%.*s'?\n", STR_ARG(near.best));
		return 1;
	}
	fwrite(text.s, 1, text.n, stdout);
	return 0;
}

/* The script in its canonical form.  The output is opened only when there is something to write: it may be the script itself. */
static int format_script(struct arena *a, struct options *opt, struct diag *diag)
{
	const struct source *src = read_script(a, opt, diag);
	struct script *script = src ? parse(a, src, diag) : NULL;
	struct strbuf text = {.arena = a};
	int status;

	diag_report(diag, stderr, opt->session.style);
	if (!script)
		return 1;
	fmt_script(a, script, &text);
	status = open_output(opt);
	if (status)
		return status;
	fwrite(text.s, 1, text.n, opt->session.out);
	if (opt->out_path && fclose(opt->session.out)) {
		fprintf(stderr, "ERROR: cannot write '%s': %s\n", opt->out_path, strerror(errno));
		return 1;
	}
	return 0;
}

static bool is_file(const char *path)
{
	struct stat st;

	return path && !stat(path, &st) && S_ISREG(st.st_mode);
}

/* The attach points of a script after expansion; those that exist always are left out. */
static int list_script(struct arena *a, struct options *opt, struct kernel *kernel, struct diag *diag)
{
	const struct source *src;
	const struct program *prog;
	int status;

	if (!opt->has_program)
		opt->script = opt->operand;
	src = read_script(a, opt, diag);
	prog = src ? check(a, opt, src, kernel, diag) : NULL;
	status = report(opt, diag);
	if (!prog)
		return status;
	VEC_EACH(probe, &prog->probes) {
		enum probe_kind_id kind = (*probe)->kind->id;

		if (kind == PROBE_BEGIN || kind == PROBE_END || kind == PROBE_SELF)
			continue;
		VEC_EACH(spec, &(*probe)->attach) {
			if ((*spec)->place <= 1) /* else the same point again, whose arguments may be others */
				printf("%.*s\n", STR_ARG((*spec)->text));
			if (opt->session.verbose)
				list_arguments(kernel, *spec, stdout, stderr);
		}
	}
	return 0;
}

static int list(struct arena *a, struct options *opt, struct kernel *kernel, struct diag *diag)
{
	struct list_options how = {
		.details = opt->session.verbose, .pid = opt->session.pid, .no_warnings = opt->session.style.no_warnings,
	};

	if (opt->has_program || is_file(opt->operand))
		return list_script(a, opt, kernel, diag);
	list_probes(kernel, str_of(opt->operand), &how, stdout, stderr);
	return 0;
}

static int obey(struct arena *a, struct options *opt, struct kernel *kernel, struct diag *diag)
{
	switch (opt->command) {
	case COMMAND_TRACE:
		return trace(a, opt, kernel, diag);
	case COMMAND_LIST:
		return list(a, opt, kernel, diag);
	case COMMAND_CHECK:
		return check_only(a, opt, kernel, diag);
	case COMMAND_BUILD:
		return build(a, opt, kernel, diag);
	case COMMAND_RUN:
		return run_file(a, opt, kernel);
	case COMMAND_FMT:
		return format_script(a, opt, diag);
	case COMMAND_INFO:
		info_print(kernel, codegen_llvm_version(a), stdout);
		return 0;
	case COMMAND_BUILTINS:
		return show_builtins(a, opt);
	case COMMAND_DONE:
		return opt->status;
	}
	return 1;
}

/* A standard descriptor that was closed would be given to the first file opened, and results would be written there.  Opened the
 * wrong way round, it still fails when it is used. */
static void guard_descriptors(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) < 0)
			_exit(1);
}

/* Listings and help end up on a full disk, too: what was not written must not pass for the whole. */
static int close_stdout(int status)
{
	bool failed = ferror(stdout);

	if ((fflush(stdout) || failed) && !status) {
		fprintf(stderr, "ERROR: cannot write results: %s\n", strerror(errno));
		return 1;
	}
	return status;
}

int main(int argc, char **argv)
{
	struct arena *arena = arena_new();
	struct options *opt = options_parse(arena, argc, argv);
	struct kernel *kernel = kernel_open(arena, &opt->kernel);
	int status;

	guard_descriptors();
	unsetenv("DEBUGINFOD_URLS"); /* no library of ours shall ask the network for anything */
	status = close_stdout(obey(arena, opt, kernel, diag_new(arena)));
	kernel_close(kernel);
	arena_free(arena);
	return status;
}
