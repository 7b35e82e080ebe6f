/* The course of one compilation: target and module are made, every part of the program is emitted, the module is verified,
 * optimised and turned into object bytes.  LLVM objects are disposed here, where they are made. */
#include <llvm-c/Analysis.h>
#include <llvm-c/Support.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include "codegen/elf_finish.h"
#include "codegen/emit_frame.h"

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BPF_TRIPLE "bpfel"
#else
#define BPF_TRIPLE "bpfeb"
#endif

/* Chosen by measurement: docs/architecture.md.  default<O0> is what the BPF target itself needs (CO-RE).  Nothing is ever inlined, and
 * with bpf_loop there is hardly a loop left: most of default<O1> would look for what is not there.  The loops that are left must be
 * closed by a jump (docs/verifier.md), which loop-rotate sees to.  Where the verifier walks all loops itself, what default<O1> does to
 * them is worth a third of its work. */
#define PIPELINE                                                                                                                         \
	"default<O0>,globalopt,"                                                                                                         \
	"function(sroa,simplifycfg,loop(loop-rotate),instcombine<no-verify-fixpoint>,"                                                   \
	"simplifycfg<hoist-common-insts;sink-common-insts>)"
#define PIPELINE_OF_LOOPS "default<O1>"

struct target {
	LLVMTargetMachineRef machine;
	LLVMTargetDataRef layout;
};

/* What LLVM's code generator complained of. */
struct complaint {
	struct arena *arena;
	struct str text;
	bool stack; /* a function needs more than 512 bytes of stack */
};

static void on_diagnostic(LLVMDiagnosticInfoRef info, void *arg)
{
	struct complaint *c = arg;
	char *text;

	if (LLVMGetDiagInfoSeverity(info) != LLVMDSError)
		return;
	text = LLVMGetDiagInfoDescription(info);
	c->text = str_copy(c->arena, str_of(text));
	if (strstr(text, "stack"))
		c->stack = true;
	LLVMDisposeMessage(text);
}

/* LLVM gives up on what BPF cannot express (a jump further than 32,767 instructions) by ending the process: say why. */
static void too_much(const char *reason)
{
	fprintf(stderr, "ERROR: the script cannot be made into BPF programs: %s\n", reason);
	if (strstr(reason, "out of insn range"))
		fputs("HINT: a probe is too long: split it into several probes\n", stderr);
	exit(1);
}

static void target_open(struct target *t)
{
	LLVMTargetRef target;
	char *why = NULL;

	LLVMInstallFatalErrorHandler(too_much);
	LLVMInitializeBPFTargetInfo();
	LLVMInitializeBPFTarget();
	LLVMInitializeBPFTargetMC();
	LLVMInitializeBPFAsmPrinter();
	if (LLVMGetTargetFromTriple(BPF_TRIPLE, &target, &why))
		BUG("LLVM has no BPF target: %s", why);
	t->machine = LLVMCreateTargetMachine(target, BPF_TRIPLE, "v3", "", LLVMCodeGenLevelDefault,
					     LLVMRelocDefault, LLVMCodeModelDefault);
	t->layout = LLVMCreateTargetDataLayout(t->machine);
}

/* Switches of LLVM's code generator, which are the whole process's and which LLVM lets nobody set twice.
 * Where loops are jumps (no bpf_loop), it must not move their heads to where the code before falls into them: the verifier refuses to
 * fall into an instruction that it has seen, and takes a jump there (docs/verifier.md).  Elsewhere it leaves out what finds nothing to
 * do in programs without loops to speak of, on a machine where constants are free: the same code for a twentieth less work. */
static void set_switches(const struct program *p)
{
	static const char *const in_place[] = {"waketrace", "-disable-block-placement"};
	static const char *const by_function[] = {
		"waketrace",
		"-disable-constant-hoisting",
		"-disable-copyprop",
		"-disable-early-taildup",
		"-disable-machine-licm",
		"-disable-peephole",
		"-disable-postra-machine-licm",
		"-disable-tail-duplicate",
	};
	static bool done;

	if (done)
		return;
	done = true;
	if (has_bpf_loop(p))
		LLVMParseCommandLineOptions(sizeof(by_function) / sizeof(*by_function), by_function, NULL);
	else
		LLVMParseCommandLineOptions(sizeof(in_place) / sizeof(*in_place), in_place, NULL);
}

static void target_close(struct target *t)
{
	LLVMDisposeTargetData(t->layout);
	LLVMDisposeTargetMachine(t->machine);
}

static void module_open(struct emit *e, const struct target *t)
{
	LLVMContextRef c = LLVMContextCreate();

	e->context = c;
	e->module = LLVMModuleCreateWithNameInContext("waketrace", c);
	e->builder = LLVMCreateBuilderInContext(c);
	LLVMSetTarget(e->module, BPF_TRIPLE);
	LLVMSetModuleDataLayout(e->module, t->layout);
	e->i1 = LLVMInt1TypeInContext(c);
	e->i8 = LLVMInt8TypeInContext(c);
	e->i16 = LLVMInt16TypeInContext(c);
	e->i32 = LLVMInt32TypeInContext(c);
	e->i64 = LLVMInt64TypeInContext(c);
	e->ptr = LLVMPointerTypeInContext(c, 0);
	e->void_ = LLVMVoidTypeInContext(c);
	debug_open(e);
}

static void module_close(struct emit *e)
{
	LLVMDisposeBuilder(e->builder);
	LLVMDisposeModule(e->module);
	LLVMContextDispose(e->context);
}

static void bytes_global(struct emit *e, const char *name, const char *section, struct str bytes, bool nul)
{
	LLVMValueRef init = LLVMConstStringInContext2(e->context, bytes.s, bytes.n, !nul);
	LLVMValueRef g = LLVMAddGlobal(e->module, LLVMTypeOf(init), name);

	LLVMSetInitializer(g, init);
	LLVMSetGlobalConstant(g, true);
	LLVMSetSection(g, section);
	LLVMSetAlignment(g, 1);
}

static uint32_t option_size(const struct option_decl *o)
{
	switch (o->kind) {
	case OPTION_STRING:
		return o->type->size;
	case OPTION_LIST:
		return 8 + 8 * LIST_VALUES;
	case OPTION_TEXTS:
		return 8 + LIST_TEXT * LIST_TEXTS;
	case OPTION_BOOL:
	case OPTION_UINT:
	case OPTION_CGROUP:
	case OPTION_INT:
		break;
	}
	return 8;
}

static void emit_options(struct emit *e)
{
	VEC_EACH(it, &e->program->options) {
		const struct option_decl *o = *it;
		struct manifest_option m = {
			.name = o->name,
			.help = o->help,
			.choices = o->choices,
			.letter = o->letter,
			.kind = o->kind,
			.number = o->number,
			.settled = o->settled,
			.settled_to = o->settled_to,
			.text = o->text,
			.elf_name = str_printf(e->arena, "wt_opt_%d", o->id),
			.size = option_size(o),
		};

		VEC_PUSH(e->arena, &e->manifest->options, m);
	}
}

/* Everything between the checked program and the finished, unoptimised module. */
static void emit_all(struct emit *e)
{
	const struct program *p = e->program;

	emit_options(e);
	maps_define(e);
	VEC_EACH(f, &p->functions)
		function_ready(e, *f);
	VEC_EACH(probe, &p->probes)
		emit_program(e, *probe);
	sites_close(e);
	scratch_define_map(e);
	rodata_close(e);
	debug_close(e);
	bytes_global(e, "LICENSE", "license", e->manifest->license, true);
	bytes_global(e, "wt_manifest", MANIFEST_SECTION, manifest_write(e->arena, e->manifest), false);
}

static void dump_module(struct emit *e, struct strbuf *out)
{
	char *text;

	if (!out)
		return;
	text = LLVMPrintModuleToString(e->module);
	strbuf_add(out, str_of(text));
	LLVMDisposeMessage(text);
}

static void verify(struct emit *e, const struct codegen_dump *dump)
{
	char *why = NULL;
#ifdef NDEBUG
	bool wanted = dump && dump->verify;
#else
	bool wanted = true;
#endif

	(void)dump;
	if (wanted && LLVMVerifyModule(e->module, LLVMReturnStatusAction, &why)) {
		LLVMDumpModule(e->module);
		BUG("wrong IR: %s", why);
	}
	LLVMDisposeMessage(why);
}

static void optimise(struct emit *e, struct target *t)
{
	LLVMPassBuilderOptionsRef o = LLVMCreatePassBuilderOptions();
	const char *pipeline = has_bpf_loop(e->program) ? PIPELINE : PIPELINE_OF_LOOPS;
	LLVMErrorRef error = LLVMRunPasses(e->module, pipeline, t->machine, o);

	if (error)
		BUG("pass pipeline: %s", LLVMGetErrorMessage(error));
	LLVMDisposePassBuilderOptions(o);
}

static struct str object_bytes(struct emit *e, struct target *t, LLVMCodeGenFileType kind)
{
	LLVMMemoryBufferRef buffer;
	struct str bytes;
	char *why = NULL;

	if (LLVMTargetMachineEmitToMemoryBuffer(t->machine, e->module, kind, &why, &buffer))
		BUG("LLVM cannot write the object: %s", why);
	bytes = str_copy(e->arena, (struct str){LLVMGetBufferStart(buffer), LLVMGetBufferSize(buffer)});
	LLVMDisposeMemoryBuffer(buffer);
	return bytes;
}

/* The assembly printer changes the module: it gets a copy. */
static void dump_assembly(struct emit *e, struct target *t, struct strbuf *out)
{
	LLVMModuleRef original = e->module;

	if (!out)
		return;
	e->module = LLVMCloneModule(original);
	strbuf_add(out, object_bytes(e, t, LLVMAssemblyFile));
	LLVMDisposeModule(e->module);
	e->module = original;
}

/* How large the programs may become: see codegen_emit(). */
struct form {
	bool frugal, apart;
	uint32_t loop_limit; /* turns of a range that is walked in place */
};

/* staying: the loops whose bodies have been found not to do apart. */
static struct emit *emit_new(struct arena *a, const struct program *p, struct diag *d, const struct form *form, uint32_t stack_budget,
			     const struct emit *before)
{
	struct emit *e = NEW(a, struct emit);

	e->arena = a;
	e->program = p;
	e->types = p->types;
	e->diag = d;
	e->stack_budget = stack_budget;
	e->frugal = !stack_budget;
	e->loop_limit = form->loop_limit;
	e->apart = form->apart;
	if (before)
		e->staying = before->staying;
	e->strings.arena = a;
	e->rodata.arena = a;
	e->site_index.arena = a;
	e->manifest = NEW(a, struct manifest);
	e->manifest->license = p->config.license;
	e->manifest->config = p->config;
	return e;
}

/* The whole module, unoptimised, open.  What a body that is apart lacks is found while it is emitted: then once more. */
static struct emit *emit_module(struct arena *a, const struct program *p, struct diag *d, struct target *t, const struct form *form,
				uint32_t stack_budget, struct complaint *c)
{
	struct emit *e = NULL;
	int staying;

	do {
		if (e)
			module_close(e);
		e = emit_new(a, p, d, form, stack_budget, e);
		staying = e->staying.n;
		module_open(e, t);
		LLVMContextSetDiagnosticHandler(e->context, on_diagnostic, c);
		emit_all(e);
	} while (e->staying.n > staying);
	return e;
}

/* One try with a given share of the BPF stack.  NULL when it did not fit (c->stack) or cannot be done (diagnostics added). */
static const struct artefact *compile(struct arena *a, const struct program *p, struct codegen_dump *dump, struct diag *d,
				      struct target *t, const struct form *form, uint32_t stack_budget, struct complaint *c)
{
	struct codegen_dump none = {0}, *to = dump ? dump : &none;
	int errors = diag_errors(d);
	struct emit *e = emit_module(a, p, d, t, form, stack_budget, c);
	struct artefact *out = NULL;

	if (diag_errors(d) == errors) {
		dump_module(e, to->ir);
		verify(e, dump);
		optimise(e, t);
		dump_module(e, to->ir_opt);
		dump_assembly(e, t, to->assembly);
		out = NEW(a, struct artefact);
		out->elf = object_bytes(e, t, LLVMObjectFile);
	}
	module_close(e);
	if (!out || c->text.n)
		return NULL;
	out->elf = elf_finish(a, out->elf, btf_sources(e), btf_nsources(e));
	if (to->manifest)
		manifest_dump(e->manifest, to->manifest);
	return out;
}

static void forget(struct strbuf *b)
{
	if (b)
		b->n = 0;
}

int codegen_forms(const struct program *p)
{
	return has_bpf_loop(p) ? 2 : 6;
}

/* Where loops are functions only the stack and the paths of one turn count; elsewhere the turns as well. */
static const struct form *form_of(const struct program *p, int number)
{
	static const struct form by_function[] = {{.loop_limit = 4096}, {.frugal = true, .loop_limit = 4096}};
	static const struct form in_place[] = {
		{.loop_limit = 4096},
		{.apart = true, .frugal = true, .loop_limit = 4096},
		{.apart = true, .loop_limit = 2048},
		{.apart = true, .loop_limit = 1024},
		{.apart = true, .loop_limit = 512},
		{.apart = true, .frugal = true, .loop_limit = 256},
	};

	return has_bpf_loop(p) ? &by_function[number] : &in_place[number];
}

const struct artefact *codegen_emit(struct arena *a, const struct program *p, int number, struct codegen_dump *dump, struct diag *d)
{
	/* A function may need more than its share for registers that do not fit: then with less for variables. */
	static const uint32_t budgets[] = {FRAME_STACK, FRAME_STACK / 2, 0};
	const struct artefact *art = NULL;
	struct complaint c = {.arena = a};
	struct target t;
	const struct form *form = form_of(p, number);
	const size_t nbudgets = sizeof(budgets) / sizeof(*budgets);
	size_t i;

	target_open(&t);
	set_switches(p);
	for (i = form->frugal ? nbudgets - 1 : 0; i < nbudgets && !art; i++) {
		c = (struct complaint){.arena = a};
		art = compile(a, p, dump, d, &t, form, budgets[i], &c);
		if (!c.text.n)
			break;
		if (dump) {
			forget(dump->ir);
			forget(dump->ir_opt);
			forget(dump->assembly);
		}
	}
	target_close(&t);
	if (!art && c.text.n)
		diag_add(d, (struct span){0}, DIAG_CODEGEN, STR_ARG(c.text));
	return art;
}

const char *codegen_llvm_version(struct arena *a)
{
	unsigned major, minor, patch;

	LLVMGetVersion(&major, &minor, &patch);
	return arena_printf(a, "%u.%u.%u", major, minor, patch);
}
