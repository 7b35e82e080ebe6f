/* VEC(T): a growing array in an arena.  Elements move when it grows: keep indexes, or store pointers. */
#ifndef WT_VEC_H
#define WT_VEC_H

#include <string.h>

#include "lang/support/arena.h"

#define VEC(T)                                                                                     \
	struct {                                                                                   \
		T *at;                                                                             \
		int n, cap;                                                                        \
	}

#define VEC_PUSH(arena, v, ...)                                                                    \
	do {                                                                                       \
		if ((v)->n == (v)->cap) {                                                          \
			int cap_ = (v)->cap ? (v)->cap * 2 : 4;                                    \
			void *at_ = arena_alloc((arena), sizeof(*(v)->at) * (size_t)cap_);         \
			if ((v)->n)                                                                \
				memcpy(at_, (v)->at, sizeof(*(v)->at) * (size_t)(v)->n);           \
			(v)->at = at_;                                                             \
			(v)->cap = cap_;                                                           \
		}                                                                                  \
		(v)->at[(v)->n++] = (__VA_ARGS__);                                                 \
	} while (0)

/* `p` points at each element in turn. */
#define VEC_EACH(p, v) for (__typeof__((v)->at + 0) p = (v)->at; p && p < (v)->at + (v)->n; p++)

#endif
