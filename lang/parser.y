/* The grammar of language.md, sections 1 to 6 and 11.5.  Actions only call the constructors of build.c.
 *
 * Three tokens carry what the scanner saw by looking ahead, so that one token of lookahead is enough here:
 *   CAST_PAREN  a '(' that opens a cast      TYPE_PAREN  a '(' after sizeof and its kin that opens a type
 *   IF_STATEMENT, BRACE_STATEMENT  `if` and '{' where a statement starts; elsewhere they are expressions
 *   LAST_BRACE  the '}' that ends an item: where reading can safely go on after an error
 */
%define api.pure full
%define api.prefix {script_}
%define api.token.prefix {TOKEN_}
%define api.location.type {struct span}
%define parse.error custom
%define parse.lac full
%locations
%expect 0
%param {struct parser *p}

%code requires {
#include "lang/build.h"
}

%code {
#define YYMAXDEPTH 20000

#define YYLLOC_DEFAULT(now, parts, n)                                                              \
	do {                                                                                       \
		if (n) {                                                                           \
			(now) = YYRHSLOC(parts, 1);                                                \
			(now).end = YYRHSLOC(parts, n).end;                                        \
		} else {                                                                           \
			(now) = YYRHSLOC(parts, 0);                                                \
			(now).begin = (now).end;                                                   \
		}                                                                                  \
	} while (0)

int script_lex(SCRIPT_STYPE *value, SCRIPT_LTYPE *span, struct parser *p);
static void script_error(const SCRIPT_LTYPE *span, struct parser *p, const char *why);

static struct span join(struct span a, struct span b)
{
	a.end = b.end;
	return a;
}
}

%union {
	struct str text;
	struct integer_token integer;
	struct string_token string;
	struct attach_token attach;
	uint64_t number;
	enum binary_op op;
	bool flag;
	struct expr *expr;
	struct stmt *stmt;
	struct block *block;
	struct type_expr *type;
	expr_list exprs;
}

%token END 0 "end of script"
%token <text> NAME "a name" VARIABLE "a $variable" MAP "a @map"
%token <integer> INTEGER "a number"
%token <string> STRING "a string"
%token <number> POSITIONAL "a parameter"
%token POSITIONAL_COUNT "'$#'"
%token <attach> ATTACH "an attach point"
%token C_TEXT "a C definition"
%token OR "'or'"
%token PREDICATE_BEGIN "a predicate" PREDICATE_END "the '/' that ends the predicate"
%token CONFIG "'config'" IMPORT "'import'" MACRO "'macro'" FN "'fn'" LET "'let'"
%token BREAK "'break'" CONTINUE "'continue'" RETURN "'return'"
%token IF "'if'" IF_STATEMENT "'if' " ELSE "'else'" FOR "'for'" WHILE "'while'" UNROLL "'unroll'"
%token STRUCT "'struct'" UNION "'union'" ENUM "'enum'"
%token SIZEOF "'sizeof'" OFFSETOF "'offsetof'" TYPEOF "'typeof'" TYPEINFO "'typeinfo'"
%token COMPTIME "'comptime'" TRUE "'true'" FALSE "'false'"
%token CAST_PAREN "'(' of a cast" TYPE_PAREN "'(' before a type"
%token BRACE_STATEMENT "'{' " LAST_BRACE "'}' "
%token IN "'in'"
%token ARROW "'->'" RANGE "'..'" INCREMENT "'++'" DECREMENT "'--'"
%token <op> ASSIGN_OP "an assignment operator"
%token EQ "'=='" NE "'!='" LE "'<='" GE "'>='" SHL "'<<'" SHR "'>>'" LAND "'&&'" LOR "'||'"
%token INVALID "something unreadable"
%token START_EXPRESSION "an expression alone" /* never in a script: chooses what is read */

%right '?' ':'
%left LOR
%left LAND
%left '|'
%left '^'
%left '&'
%left EQ NE IN
%left '<' LE '>' GE
%left SHL SHR
%left '+' '-'
%left '*' '/' '%'
/* A '[' behind a map opens its key. */
%precedence MAP_ALONE
%precedence '['

%type <text> word path
%type <expr> expr unary postfix primary record arg predicate if_expr else_expr
%type <exprs> exprs args arg_list tuple_rest
%type <stmt> simple compound if_stmt else_stmt for_head
%type <block> block body statements
%type <type> type type_base tag tagged_type
%type <flag> attach_points

%%

script:
	items
	| START_EXPRESSION expr			{ p->result = $2; }
	;

items:
	%empty
	| items item
	| items error LAST_BRACE			{ build_forget(p); }
	;

item:
	C_TEXT					{ build_c_text(p, @1); }
	| config
	| IMPORT STRING ';'			{ build_import(p, @$, $2.text); }
	| IMPORT error ';'
	| map_decl
	| macro
	| function
	| probe
	;

close:
	'}'
	| LAST_BRACE
	;

optional_semicolon:
	%empty
	| ';'
	;

/* ---- config, map declarations, macros, functions, probes ---- */

config:
	CONFIG '=' '{' config_entries close	{ build_config(p, @$); }
	| CONFIG '=' '{' config_entries config_entry close { build_config(p, @$); }
	;

config_entries:
	%empty
	| config_entries config_entry ';'
	| config_entries ';'
	| config_entries error ';'
	;

config_entry:
	word '=' word				{ build_config_entry(p, @$, $1, @3, $3, false); }
	| word '=' INTEGER			{ build_config_entry(p, @$, $1, @3, $3.text, false); }
	| word '=' STRING			{ build_config_entry(p, @$, $1, @3, $3.text, true); }
	| word '=' TRUE				{ build_config_entry(p, @$, $1, @3, STR("true"), false); }
	| word '=' FALSE			{ build_config_entry(p, @$, $1, @3, STR("false"), false); }
	;

map_decl:
	LET MAP '=' NAME '(' expr ')' optional_semicolon {
		build_map_decl(p, join(@1, @7), $2, $4, @4, $6);
	}
	| LET VARIABLE {
		PARSE_ERROR(p, @$, DIAG_TOP_LEVEL_LET);
		PARSE_HINT(p, "a $variable lives inside a probe; declare a map like this: let @a = hash(100);");
		YYERROR;
	}
	| LET error ';'
	;

macro:
	MACRO NAME '(' params ')' block		{ build_macro(p, @$, $2, $6); }
	;

params:
	%empty
	| param_list
	;

param_list:
	param
	| param_list ',' param
	;

param:
	NAME					{ build_param(p, @$, 0, $1, NULL); }
	| VARIABLE				{ build_param(p, @$, '$', $1, NULL); }
	| MAP					{ build_param(p, @$, '@', $1, NULL); }
	;

function:
	FN NAME '(' fn_params ')' ':' type body	{ build_fn(p, @$, $2, $7, $8); }
	;

fn_params:
	%empty
	| fn_param_list
	;

fn_param_list:
	fn_param
	| fn_param_list ',' fn_param
	;

fn_param:
	VARIABLE ':' type			{ build_param(p, @$, '$', $1, $3); }
	;

probe:
	attach_points predicate body		{ build_probe(p, @$, @1, $1, $2, $3); }
	;

attach_points:
	attach_list				{ $$ = false; }
	| attach_list ','			{ $$ = false; }
	| alternatives				{ $$ = true; }
	;

attach_list:
	attach
	| attach_list ',' attach
	;

alternatives:
	attach OR attach
	| alternatives OR attach
	;

attach:
	ATTACH					{ build_attach(p, @1, $1); }
	;

predicate:
	%empty					{ $$ = NULL; }
	| PREDICATE_BEGIN expr PREDICATE_END	{ $$ = $2; }
	;

/* ---- statements ---- */

/* A block whose value nobody takes. */
body:
	block					{ $$ = build_body(p, $1); }
	;

block:
	'{' statements close			{ $$ = build_block(p, @$, $2, NULL); }
	| '{' statements simple close		{ $$ = build_block(p, @$, $2, $3); }
	| '{' statements error close		{ $$ = build_block(p, @$, $2, NULL); }
	;

statements:
	%empty					{ $$ = build_block_new(p); }
	| statements ';'			{ $$ = $1; build_block_add(p, $$, NULL, true); }
	| statements simple ';'			{ $$ = $1; build_block_add(p, $$, $2, true); }
	| statements compound			{ $$ = $1; build_block_add(p, $$, $2, false); }
	| statements error ';'			{ $$ = $1; }
	;

simple:
	expr					{ $$ = build_expr_stmt(p, @$, $1); }
	| unary '=' expr			{ $$ = build_assign(p, @$, $1, -1, $3); }
	| unary ASSIGN_OP expr			{ $$ = build_assign(p, @$, $1, (int)$2, $3); }
	| LET VARIABLE				{ $$ = build_let(p, @$, build_var(p, @2, $2), NULL, NULL); }
	| LET VARIABLE '=' expr			{ $$ = build_let(p, @$, build_var(p, @2, $2), NULL, $4); }
	| LET VARIABLE ':' type			{ $$ = build_let(p, @$, build_var(p, @2, $2), $4, NULL); }
	| LET VARIABLE ':' type '=' expr	{ $$ = build_let(p, @$, build_var(p, @2, $2), $4, $6); }
	| RETURN				{ $$ = build_jump(p, @$, STMT_RETURN, NULL); }
	| RETURN expr				{ $$ = build_jump(p, @$, STMT_RETURN, $2); }
	| BREAK					{ $$ = build_jump(p, @$, STMT_BREAK, NULL); }
	| CONTINUE				{ $$ = build_jump(p, @$, STMT_CONTINUE, NULL); }
	| IMPORT STRING				{ $$ = build_import_stmt(p, @$, $2.text); }
	;

compound:
	if_stmt
	| FOR for_head body			{ $$ = build_for_body(p, @$, $2, $3, false); }
	| FOR '(' for_head ')' body		{ $$ = build_for_body(p, @$, $3, $5, true); }
	| WHILE unary body			{ $$ = build_loop(p, @$, STMT_WHILE, $2, $3); }
	| UNROLL unary body			{ $$ = build_loop(p, @$, STMT_UNROLL, $2, $3); }
	| BRACE_STATEMENT statements close	{ $$ = build_block_stmt(p, @$, build_block(p, @$, $2, NULL)); }
	| BRACE_STATEMENT statements simple close { $$ = build_block_stmt(p, @$, build_block(p, @$, $2, $3)); }
	| BRACE_STATEMENT statements error close { $$ = build_block_stmt(p, @$, build_block(p, @$, $2, NULL)); }
	;

if_stmt:
	IF_STATEMENT unary block else_stmt	{ $$ = build_if(p, @$, $2, $3, $4); }
	;

else_stmt:
	%empty					{ $$ = NULL; }
	| ELSE block				{ $$ = build_block_stmt(p, @2, $2); }
	| ELSE IF unary block else_stmt		{ $$ = build_if(p, join(@2, @5), $3, $4, $5); }
	;

for_head:
	VARIABLE ':' postfix			{ $$ = build_for(p, @$, build_var(p, @1, $1), $3, NULL); }
	| VARIABLE ':' postfix RANGE postfix	{ $$ = build_for(p, @$, build_var(p, @1, $1), $3, $5); }
	;

/* ---- expressions ---- */

expr:
	unary
	| expr '?' expr ':' expr		{ $$ = build_ternary(p, @$, $1, $3, $5); }
	| expr '?' ':' expr			{ $$ = build_ternary(p, @$, $1, NULL, $4); }
	| expr LOR expr				{ $$ = build_binary(p, @$, BINARY_LOR, $1, $3); }
	| expr LAND expr			{ $$ = build_binary(p, @$, BINARY_LAND, $1, $3); }
	| expr '|' expr				{ $$ = build_binary(p, @$, BINARY_OR, $1, $3); }
	| expr '^' expr				{ $$ = build_binary(p, @$, BINARY_XOR, $1, $3); }
	| expr '&' expr				{ $$ = build_binary(p, @$, BINARY_AND, $1, $3); }
	| expr EQ expr				{ $$ = build_binary(p, @$, BINARY_EQ, $1, $3); }
	| expr NE expr				{ $$ = build_binary(p, @$, BINARY_NE, $1, $3); }
	| expr IN expr				{ $$ = build_binary(p, @$, BINARY_IN, $1, $3); }
	| expr '<' expr				{ $$ = build_binary(p, @$, BINARY_LT, $1, $3); }
	| expr LE expr				{ $$ = build_binary(p, @$, BINARY_LE, $1, $3); }
	| expr '>' expr				{ $$ = build_binary(p, @$, BINARY_GT, $1, $3); }
	| expr GE expr				{ $$ = build_binary(p, @$, BINARY_GE, $1, $3); }
	| expr SHL expr				{ $$ = build_binary(p, @$, BINARY_SHL, $1, $3); }
	| expr SHR expr				{ $$ = build_binary(p, @$, BINARY_SHR, $1, $3); }
	| expr '+' expr				{ $$ = build_binary(p, @$, BINARY_ADD, $1, $3); }
	| expr '-' expr				{ $$ = build_binary(p, @$, BINARY_SUB, $1, $3); }
	| expr '*' expr				{ $$ = build_binary(p, @$, BINARY_MUL, $1, $3); }
	| expr '/' expr				{ $$ = build_binary(p, @$, BINARY_DIV, $1, $3); }
	| expr '%' expr				{ $$ = build_binary(p, @$, BINARY_MOD, $1, $3); }
	;

unary:
	postfix
	| '-' unary				{ $$ = build_unary(p, @$, UNARY_NEG, $2); }
	| '!' unary				{ $$ = build_unary(p, @$, UNARY_NOT, $2); }
	| '~' unary				{ $$ = build_unary(p, @$, UNARY_BITNOT, $2); }
	| '*' unary				{ $$ = build_unary(p, @$, UNARY_DEREF, $2); }
	| '&' unary				{ $$ = build_unary(p, @$, UNARY_ADDRESS, $2); }
	| INCREMENT unary			{ $$ = build_incdec(p, @$, $2, true, true); }
	| DECREMENT unary			{ $$ = build_incdec(p, @$, $2, false, true); }
	| CAST_PAREN type ')' unary		{ $$ = build_cast(p, @$, $2, $4); }
	| COMPTIME unary			{ $$ = build_comptime(p, @$, $2); }
	;

postfix:
	primary
	| postfix '.' word			{ $$ = build_field(p, @$, $1, $3, @3, false); }
	| postfix ARROW word			{ $$ = build_field(p, @$, $1, $3, @3, true); }
	| postfix '.' INTEGER			{ $$ = build_tuple_at(p, @$, $1, $3.value); }
	| postfix '[' expr ']'			{ $$ = build_index(p, @$, $1, $3); }
	| postfix INCREMENT			{ $$ = build_incdec(p, @$, $1, true, false); }
	| postfix DECREMENT			{ $$ = build_incdec(p, @$, $1, false, false); }
	;

primary:
	INTEGER					{ $$ = build_int(p, @$, $1); }
	| STRING				{ $$ = build_string(p, @$, $1); }
	| TRUE					{ $$ = build_bool(p, @$, true); }
	| FALSE					{ $$ = build_bool(p, @$, false); }
	| POSITIONAL				{ $$ = build_positional(p, @$, $1); }
	| POSITIONAL_COUNT			{ $$ = expr_new(p->arena, EXPR_POSITIONAL_COUNT, @$); }
	| NAME					{ $$ = build_name(p, @$, $1); }
	| NAME '(' args ')'			{ $$ = build_call(p, @$, $1, @1, $3); }
	| VARIABLE				{ $$ = build_var(p, @$, $1); }
	| MAP %prec MAP_ALONE				{ $$ = build_map(p, @$, $1, NULL); }
	| MAP '[' exprs ']'			{ $$ = build_map(p, @$, $1, &$3); }
	| '(' expr ')'				{ $$ = build_parens($2); }
	| '(' ')'				{ $$ = build_tuple(p, @$, (expr_list){0}); }
	| '(' expr ',' tuple_rest ')' {
		expr_list elems = {0};

		VEC_PUSH(p->arena, &elems, $2);
		VEC_EACH (e, &$4)
			VEC_PUSH(p->arena, &elems, *e);
		$$ = build_tuple(p, @$, elems);
	}
	| '(' record ')'			{ $$ = build_parens($2); $$->span = @$; }
	| '(' record ',' ')'			{ $$ = build_parens($2); $$->span = @$; }
	| SIZEOF '(' expr ')'			{ $$ = build_type_op(p, @$, EXPR_SIZEOF, $3, NULL); }
	| SIZEOF TYPE_PAREN type ')'		{ $$ = build_type_op(p, @$, EXPR_SIZEOF, NULL, $3); }
	| TYPEINFO '(' expr ')'			{ $$ = build_type_op(p, @$, EXPR_TYPEINFO, $3, NULL); }
	| TYPEINFO TYPE_PAREN type ')'		{ $$ = build_type_op(p, @$, EXPR_TYPEINFO, NULL, $3); }
	| TYPEOF '(' expr ')'			{ $$ = build_type_op(p, @$, EXPR_TYPEOF, $3, NULL); }
	| TYPEOF TYPE_PAREN type ')'		{ $$ = build_type_op(p, @$, EXPR_TYPEOF, NULL, $3); }
	| OFFSETOF '(' expr ',' path ')' {
		$$ = build_type_op(p, @$, EXPR_OFFSETOF, $3, NULL);
		$$->type_op.path = $5;
		$$->type_op.path_span = @5;
	}
	| OFFSETOF TYPE_PAREN type ',' path ')' {
		$$ = build_type_op(p, @$, EXPR_OFFSETOF, NULL, $3);
		$$->type_op.path = $5;
		$$->type_op.path_span = @5;
	}
	| block					{ $$ = build_block_expr(p, @$, $1); }
	| if_expr
	;

if_expr:
	IF unary block ELSE else_expr		{ $$ = build_if_expr(p, @$, $2, $3, $5); }
	;

else_expr:
	block					{ $$ = build_block_expr(p, @$, $1); }
	| if_expr
	;

tuple_rest:
	%empty					{ $$ = (expr_list){0}; }
	| exprs
	| exprs ','
	;

exprs:
	expr					{ $$ = (expr_list){0}; VEC_PUSH(p->arena, &$$, $1); }
	| exprs ',' expr			{ $$ = $1; VEC_PUSH(p->arena, &$$, $3); }
	;

record:
	word '=' expr				{ $$ = build_record(p, @$, NULL, $1, $3); }
	| record ',' word '=' expr		{ $$ = build_record(p, @$, $1, $3, $5); }
	;

args:
	%empty					{ $$ = (expr_list){0}; }
	| arg_list
	| arg_list ','
	;

arg_list:
	arg					{ $$ = (expr_list){0}; VEC_PUSH(p->arena, &$$, $1); }
	| arg_list ',' arg			{ $$ = $1; VEC_PUSH(p->arena, &$$, $3); }
	;

arg:
	expr
	| NAME '=' expr				{ $$ = build_named_arg(p, @$, $1, $3); }
	| tagged_type {
		$$ = build_type_op(p, @$, EXPR_TYPEOF, NULL, $1);
		$$->type_op.bare = true;
	}
	;

/* ---- types ---- */

type:
	type_base
	| type '*'				{ $$ = build_pointer(p, @$, $1); }
	| type '[' ']'				{ $$ = build_array(p, @$, $1, NULL); }
	| type '[' expr ']'			{ $$ = build_array(p, @$, $1, $3); }
	;

type_base:
	NAME					{ $$ = build_type(p, @$, TAG_NONE, $1); }
	| tag
	| TYPEOF '(' expr ')'			{ $$ = build_typeof(p, @$, $3, NULL); }
	| TYPEOF TYPE_PAREN type ')'		{ $$ = build_typeof(p, @$, NULL, $3); }
	;

tag:
	STRUCT word				{ $$ = build_type(p, @$, TAG_STRUCT, $2); }
	| UNION word				{ $$ = build_type(p, @$, TAG_UNION, $2); }
	| ENUM word				{ $$ = build_type(p, @$, TAG_ENUM, $2); }
	;

/* As an argument: has_field(struct foo, a). */
tagged_type:
	tag
	| tagged_type '*'			{ $$ = build_pointer(p, @$, $1); }
	;

/* ---- words ---- */

/* Where nothing but a name can stand, a keyword is a name. */
word:
	NAME
	| BREAK					{ $$ = parser_text(p, @1); }
	| CONTINUE				{ $$ = parser_text(p, @1); }
	| ELSE					{ $$ = parser_text(p, @1); }
	| FOR					{ $$ = parser_text(p, @1); }
	| IF					{ $$ = parser_text(p, @1); }
	| IMPORT				{ $$ = parser_text(p, @1); }
	| LET					{ $$ = parser_text(p, @1); }
	| RETURN				{ $$ = parser_text(p, @1); }
	| UNROLL				{ $$ = parser_text(p, @1); }
	| WHILE					{ $$ = parser_text(p, @1); }
	| STRUCT				{ $$ = parser_text(p, @1); }
	| UNION					{ $$ = parser_text(p, @1); }
	| ENUM					{ $$ = parser_text(p, @1); }
	| SIZEOF				{ $$ = parser_text(p, @1); }
	| OFFSETOF				{ $$ = parser_text(p, @1); }
	| TYPEOF				{ $$ = parser_text(p, @1); }
	| TYPEINFO				{ $$ = parser_text(p, @1); }
	| COMPTIME				{ $$ = parser_text(p, @1); }
	;

path:
	word
	| path '.' word				{ $$ = parser_text(p, @$); }
	;

%%

/* ---- syntax errors: what could have stood here; syntax_error.c finds the words ---- */

static int yyreport_syntax_error(const yypcontext_t *ctx, struct parser *p)
{
	const char *names[YYNTOKENS];
	yysymbol_kind_t expected[YYNTOKENS];
	int i, n = yypcontext_expected_tokens(ctx, expected, YYNTOKENS);

	for (i = 0; i < n; i++)
		names[i] = yysymbol_name(expected[i]);
	if (yypcontext_token(ctx) == YYSYMBOL_INVALID)
		parser_count_error(p); /* the scanner has said what is wrong */
	else
		syntax_error(p, *yypcontext_location(ctx), yypcontext_token(ctx) == YYSYMBOL_YYEOF, names, n);
	return 0;
}

/* Called by bison only when its stack is exhausted. */
static void script_error(const SCRIPT_LTYPE *span, struct parser *p, const char *why)
{
	(void)why;
	PARSE_ERROR(p, *span, DIAG_TOO_DEEP, MAX_NESTING);
	p->stopped = true;
}
