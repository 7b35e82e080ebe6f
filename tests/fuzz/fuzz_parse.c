/* Any bytes as a script: the parser takes them or complains, what it takes can be dumped and copied, and formatting keeps
 * the tree and what is formatted already. */
#include <stdint.h>
#include <stdio.h>

#include "lang/fmt.h"
#include "lang/parse.h"
#include "lang/probe_spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_format(struct arena *a, const struct script *script, struct str tree)
{
	struct strbuf text = {.arena = a}, text2 = {.arena = a}, tree2 = {.arena = a};
	const struct script *again;

	fmt_script(a, script, &text);
	again = parse(a, source_new(a, STR("formatted"), strbuf_str(&text)), diag_new(a));
	if (!again)
		__builtin_trap();
	ast_dump(again, &tree2);
	fmt_script(a, again, &text2);
	if (!str_eq(tree, strbuf_str(&tree2)) || !str_eq(strbuf_str(&text), strbuf_str(&text2)))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct diag *diag = diag_new(arena);
	struct strbuf first = {.arena = arena}, second = {.arena = arena};
	struct str text = {(const char *)data, size};
	const struct source *source = source_new(arena, STR("fuzz"), text);
	struct script *script = parse(arena, source, diag);
	static FILE *nowhere;

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	if (!script && !diag_errors(diag))
		__builtin_trap(); /* refused without a word */
	if (script) {
		ast_dump(script, &first);
		check_format(arena, script, strbuf_str(&first));
		VEC_EACH (probe, &script->probes) {
			(*probe)->body = block_clone(arena, (*probe)->body);
			VEC_EACH (attach, &(*probe)->attach) {
				probe_spec_list specs = {0};

				probe_spec_parse(arena, attach->text, attach->span, diag, &specs);
			}
		}
		ast_dump(script, &second);
		if (!str_eq(strbuf_str(&first), strbuf_str(&second)))
			__builtin_trap(); /* a copy differs */
	}
	if (nowhere)
		diag_report(diag, nowhere, (struct diag_style){.json = size % 2});
	arena_free(arena);
	return 0;
}
