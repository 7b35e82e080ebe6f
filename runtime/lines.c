/* Line records of .BTF.ext.  Read here and not through libbpf, which keeps them to itself.  The bytes are checked as they are
 * read: an artefact may come from anywhere. */
#include "runtime/lines.h"

#include "runtime/session_internal.h"

struct btf_ext_head {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t hdr_len, func_off, func_len, line_off, line_len;
};

struct btf_head {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t hdr_len, type_off, type_len, str_off, str_len;
};

struct line_record {
	uint32_t offset, file, text, line_column;
};

static bool take(struct str *from, void *to, size_t n)
{
	if (from->n < n)
		return false;
	memcpy(to, from->s, n);
	*from = str_sub(*from, n, from->n);
	return true;
}

static struct str string_at(struct str btf, uint32_t offset)
{
	struct btf_head h;
	struct str rest = btf, strings;

	if (!take(&rest, &h, sizeof(h)))
		return STR("");
	strings = str_sub(btf, (size_t)h.hdr_len + h.str_off, h.str_len);
	strings = str_sub(strings, offset, strings.n);
	strings.n = strnlen(strings.n ? strings.s : "", strings.n);
	return strings;
}

bool line_of_instruction(struct str elf, struct str section, uint64_t offset, struct line_place *out)
{
	struct str ext = artefact_section(elf, ".BTF.ext"), btf = artefact_section(elf, ".BTF"), rest = ext;
	uint32_t record_size, name, n;
	struct btf_ext_head h;
	bool found = false;

	if (!take(&rest, &h, sizeof(h)))
		return false;
	rest = str_sub(ext, (size_t)h.hdr_len + h.line_off, h.line_len);
	if (!take(&rest, &record_size, 4) || record_size < sizeof(struct line_record))
		return false;
	while (take(&rest, &name, 4) && take(&rest, &n, 4)) {
		bool here = str_eq(string_at(btf, name), section);

		for (; n-- && rest.n >= record_size; rest = str_sub(rest, record_size, rest.n)) {
			struct line_record r;

			memcpy(&r, rest.s, sizeof(r));
			if (!here || r.offset > offset)
				continue;
			*out = (struct line_place){string_at(btf, r.file), r.line_column >> 10, r.line_column & 0x3ff};
			found = true;
		}
	}
	return found;
}
