/* Lines of a format file:
 *	name: sched_switch
 *	ID: 372
 *	format:
 *		field:char prev_comm[16];	offset:8;	size:16;	signed:0;
 * What follows "print fmt:" is not read. */
#include "runtime/trace_format.h"

enum { MAX_FIELDS = 512, MAX_BYTES = 1 << 16 }; /* a record fits a 64 KiB sub-buffer */

static struct str next_line(struct str *rest)
{
	size_t n = str_find(*rest, '\n');
	struct str line = str_sub(*rest, 0, n);

	*rest = str_sub(*rest, n + 1, rest->n);
	return line;
}

/* The text between `key` and the next ';'. */
static bool value_of(struct str line, const char *key, struct str *value)
{
	size_t n = strlen(key);
	const char *at = memmem(line.s, line.n, key, n);

	if (!at)
		return false;
	*value = str_sub(line, (size_t)(at - line.s) + n, line.n);
	*value = str_sub(*value, 0, str_find(*value, ';'));
	return true;
}

static bool number_of(struct str text, uint32_t *n)
{
	size_t i;

	*n = 0;
	text = str_trim(text);
	for (i = 0; i < text.n && text.s[i] >= '0' && text.s[i] <= '9' && *n < MAX_BYTES; i++)
		*n = *n * 10 + (uint32_t)(text.s[i] - '0');
	return i > 0 && i == text.n;
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool take_word(struct str *text, const char *word)
{
	if (!str_starts(*text, str_of(word)))
		return false;
	*text = str_trim(str_sub(*text, strlen(word), text->n));
	return true;
}

/* Split "unsigned long args[6]", "char[] name", "const char * p" into type, name and length. */
static bool split_declaration(struct trace_field *f, struct str d)
{
	size_t end, open;

	d = str_trim(d);
	f->data_loc = take_word(&d, "__data_loc ");
	f->rel_loc = take_word(&d, "__rel_loc ");
	open = str_find(d, '[');
	if (open < d.n) {
		size_t close = str_find(d, ']');

		if (close < open)
			return false;
		f->is_array = true;
		f->length = str_trim(str_sub(d, open + 1, close - open - 1));
		if (f->data_loc || f->rel_loc) { /* char[] name */
			f->type = str_trim(str_sub(d, 0, open));
			f->name = str_trim(str_sub(d, close + 1, d.n));
			return f->name.n > 0;
		}
		d = str_trim(str_sub(d, 0, open));
	}
	end = d.n;
	while (end > 0 && is_name_char(d.s[end - 1]))
		end--;
	f->name = str_sub(d, end, d.n);
	f->type = str_trim(str_sub(d, 0, end));
	f->is_pointer = str_ends(f->type, STR("*"));
	return f->name.n > 0 && f->type.n > 0;
}

static bool parse_field(struct trace_field *f, struct str line)
{
	struct str offset, size, sign;
	uint32_t is_signed = 0;

	*f = (struct trace_field){0};
	if (!value_of(line, "field:", &f->text) || !value_of(line, "offset:", &offset) || !value_of(line, "size:", &size))
		return false;
	f->text = str_trim(f->text);
	if (!number_of(offset, &f->offset) || !number_of(size, &f->size))
		return false;
	if (f->offset > MAX_BYTES || f->size > MAX_BYTES)
		return false;
	if (value_of(line, "signed:", &sign) && number_of(sign, &is_signed))
		f->is_signed = is_signed;
	if (!split_declaration(f, f->text))
		return false;
	f->common = str_starts(f->name, STR("common_"));
	return true;
}

struct trace_format *trace_format_parse(struct arena *a, struct str text)
{
	struct trace_format *format = NEW(a, struct trace_format);
	bool has_id = false;

	while (text.n && format->fields.n < MAX_FIELDS) {
		struct str line = next_line(&text), rest;
		struct trace_field f;

		if (str_starts(line, STR("print fmt:")))
			break;
		if (str_starts(line, STR("ID:"))) {
			rest = str_trim(str_sub(line, 3, line.n));
			has_id = number_of(rest, &format->id);
			continue;
		}
		if (parse_field(&f, line))
			VEC_PUSH(a, &format->fields, f);
	}
	return has_id ? format : NULL;
}
