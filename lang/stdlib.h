/* The standard library: macros in our own language, parsed before a script (language.md 16). */
#ifndef WT_STDLIB_H
#define WT_STDLIB_H

extern const char standard_library[];

#endif
