"""Random statements whose effects are known: an expression or statement is its text and a function that does in Python what the
script does in the kernel.  Used by generate.py, which describes what is judged."""

import math
import re
from dataclasses import dataclass
from typing import Any, Callable

LEVEL = {"?": 1, "||": 2, "&&": 3, "|": 4, "^": 5, "&": 6, "==": 7, "!=": 7, "<": 8, "<=": 8, ">": 8, ">=": 8,
         "<<": 9, ">>": 9, "+": 10, "-": 10, "*": 11, "/": 11, "%": 11, "unary": 12, "atom": 13}
INT, BOOL, TEXT, ENUM = "int", "bool", "text", "enum"
# Other types: ("tuple", [types]), ("record", [(name, type)]), ("array", (bits, signed, elements)), ("sized", (bits, signed))
ARRAYS = [("array", (8, False, 8)), ("array", (16, True, 4)), ("array", (32, False, 2)), ("array", (32, True, 2))]
SIZED = [("sized", (bits, signed)) for bits in (8, 16, 32, 64) for signed in (True, False)]
COLOURS = {"RED": 1, "GREEN": 2, "BLUE": 40}
DEFINITIONS = ("enum colour { RED = 1, GREEN, BLUE = 40 };\n"
               "struct part { int a; union { short b; char text[6]; }; unsigned long c; };\n")
SIZES = {"sizeof(struct part)": 24, "offsetof(struct part, c)": 16, "offsetof(struct part, text)": 4, "sizeof(int32)": 4,
         "sizeof((uint16)3)": 2, 'sizeof("abc")': 4}
WORDS = ["", "a", "b", "ab", "waketrace", "some words", "x" * 40, "y" * 200, "Zz-9", "ab" * 30]


@dataclass
class Expr:
    """Text, its precedence level, its value in an environment, and the sign of its type.  `flexible`: a literal takes the
    other's sign."""
    text: str
    level: int
    ev: Callable[[dict], Any]
    signed: bool = True
    flexible: bool = False
    zero: bool = False

    def at(self, level):
        """The text where an operand of at least this level is wanted."""
        return self.text if self.level >= level else f"({self.text})"


    def varies(self):
        """No compiler can fold it away."""
        return "$" in self.text or "@" in self.text


@dataclass
class Stmt:
    text: str    # without indent; lines of nested blocks are indented already
    run: Callable[[dict], Any]    # None, "break", "continue" or ("return", value)


def wrap(value, signed, bits=64):
    value &= (1 << bits) - 1
    return value - (1 << bits) if signed and value >> (bits - 1) else value


def divide(a, b):
    """C's division and remainder; by zero both are 1."""
    if b == 0:
        return 1, 1
    q = abs(a) // abs(b)
    q = -q if (a < 0) != (b < 0) else q
    return q, a - q * b


def shown(value, kind):
    """As print() shows it."""
    if kind == BOOL:
        return "true" if value else "false"
    if kind == ENUM:
        return next((name for name, n in COLOURS.items() if n == value), str(value))
    if isinstance(kind, tuple) and kind[0] == "sized":
        return str(value)
    if isinstance(kind, tuple) and kind[0] == "array":
        return "[" + ",".join(str(v) for v in value) + "]"
    if isinstance(kind, tuple) and kind[0] == "tuple":
        return "(" + ", ".join(shown(v, k) for v, k in zip(value, kind[1])) + ")"
    if isinstance(kind, tuple):
        return "{ " + ", ".join(f".{n} = {shown(v, k)}" for v, (n, k) in zip(value, kind[1])) + " }"
    return str(value)


def zero_of(kind):
    if isinstance(kind, tuple) and kind[0] in ("array", "sized"):
        return (0,) * kind[1][2] if kind[0] == "array" else 0
    if isinstance(kind, tuple):
        return tuple(zero_of(k if kind[0] == "tuple" else k[1]) for k in kind[1])
    return "" if kind == TEXT else 0


def is_composite(kind):
    """With named or numbered parts."""
    return isinstance(kind, tuple) and kind[0] in ("tuple", "record")


def is_known(kind, what):
    return isinstance(kind, tuple) and kind[0] == what


def split(value, bits, signed, n):
    """A number's memory as an array."""
    return tuple(wrap(value >> (bits * i), signed, bits) for i in range(n))


def matches(text, pattern):
    return re.fullmatch(".*".join(re.escape(p) for p in pattern.split("*")), text, re.S) is not None


def run_all(stmts, env):
    for s in stmts:
        signal = s.run(env)
        if signal:
            return signal
    return None


def operate(op, x, y, signed):
    if op in ("<<", ">>"):
        return wrap(x << (y & 63) if op == "<<" else x >> (y & 63), signed)
    value = {"+": lambda: x + y, "-": lambda: x - y, "*": lambda: x * y, "/": lambda: divide(x, y)[0],
             "%": lambda: divide(x, y)[1], "&": lambda: x & y, "|": lambda: x | y, "^": lambda: x ^ y}[op]()
    return wrap(value, signed)


COMPARE = {"==": lambda x, y: x == y, "!=": lambda x, y: x != y, "<": lambda x, y: x < y, "<=": lambda x, y: x <= y,
           ">": lambda x, y: x > y, ">=": lambda x, y: x >= y}


class Scope:
    """What expressions may name: variables by type, maps, functions, macros."""

    def __init__(self, rng, prefix=""):
        self.rng, self.prefix = rng, prefix
        self.vars = []         # [(name, type)], innermost last
        self.maps = {}         # name -> (key type or None, value type)
        self.aggregates = {}   # name -> (how, key type or None)
        self.functions = []    # (name, parameter types, result type, run(args))
        self.macros = []       # (name, run(env, value, var))
        self.count = 0
        self.budget = 120      # turns of loops: kernels without bpf_loop walk each
        self.in_function = False
        self.walks_maps = False    # what 5.10 cannot do: for over maps, len()

    # ---- integers ----

    def named(self, kind):
        return [n for n, k in self.vars if k == kind]

    def literal(self):
        n = self.rng.choice([0, 1, 2, 3, 7, 10, 100, 255, 1000, 65535, self.rng.randrange(1 << 31)])
        return Expr(self.rng.choice([str(n), hex(n)]), LEVEL["atom"], lambda env: n, flexible=True, zero=n == 0)

    def leaf(self):
        """An integer that no compiler can fold away, when there is one."""
        choices = self.named(INT)
        kind = self.rng.randrange(12)
        if kind == 0:
            name, value = self.rng.choice(list(COLOURS.items()))
            return Expr(f"(int64){name}", LEVEL["unary"], lambda env: value)
        if kind == 1:
            text, size = self.rng.choice(list(SIZES.items()))
            return Expr(f"(int64){text}", LEVEL["unary"], lambda env: size)
        if kind == 2 and self.maps and not self.in_function:
            found = self.map_read(INT, 1)
            if found:
                return found
        if kind == 3 and not self.in_function:
            found = self.aggregate_read()
            if found:
                return found
        if kind == 4:
            found = self.part(INT)
            if found:
                return found
        if kind == 5:
            found = self.narrow()
            if found:
                return found
        if kind == 6:
            return self.measured()
        if not choices:
            return self.cast_literal()
        name = self.rng.choice(choices)
        return Expr(name, LEVEL["atom"], lambda env: env[name])

    def narrow(self):
        """A variable of fewer bits or without sign, or an element of an array."""
        found = [(n, k) for n, k in self.vars if is_known(k, "sized") or is_known(k, "array")]
        if not found:
            return None
        name, (what, (_, signed, *rest)) = self.rng.choice(found)
        if what == "sized":
            return Expr(name, LEVEL["atom"], lambda env: env[name], signed)
        at = self.rng.randrange(rest[0])
        return Expr(f"{name}[{at}]", LEVEL["atom"], lambda env: env[name][at], signed)

    def measured(self):
        """A number that a text gives."""
        a, b = self.value(TEXT, 0), self.text_literal(64)
        if not a.varies():    # constants are cut to shorter types
            return Expr(f"(int64)strlen({a.text})", LEVEL["unary"], lambda env: len(a.ev(env)))
        kind = self.rng.randrange(4)
        if kind == 0:
            return Expr(f"(int64)strlen({a.text})", LEVEL["unary"], lambda env: len(a.ev(env)))
        if kind == 1:
            return Expr(f"(int64)strstr({a.text}, {b.text})", LEVEL["unary"], lambda env: a.ev(env).find(b.ev(env)))
        if kind == 2:
            return Expr(f"(int64)strlen(str_concat({a.text}, {b.text}))", LEVEL["unary"],
                        lambda env: len(a.ev(env)) + len(b.ev(env)))
        return Expr(f"(int64)strlen(str({a.text}, 4))", LEVEL["unary"], lambda env: min(len(a.ev(env)), 3))

    def cast_literal(self):
        n = self.rng.randrange(1000)
        return Expr(f"(int64){n}", LEVEL["unary"], lambda env: n)

    def number(self, depth):
        if depth <= 0:
            return self.leaf()
        kind = self.rng.randrange(17)
        if kind < 6:
            return self.binary(depth)
        if kind == 6:
            a = self.number(depth - 1)
            if not a.varies():
                return a    # the complement of a positive constant is unsigned, and constants must not overflow
            return Expr(f"-{self.spaced(a, '-')}", LEVEL["unary"], lambda env: wrap(-a.ev(env), True))
        if kind == 7:
            a = self.number(depth - 1)
            if not a.varies():
                return a
            return Expr(f"~{a.at(LEVEL['unary'])}", LEVEL["unary"], lambda env: wrap(~a.ev(env), a.signed), a.signed)
        if kind < 10:
            bits, signed = self.rng.choice([8, 16, 32, 64]), self.rng.random() < 0.5
            a = self.number(depth - 1)
            return Expr(f"({'' if signed else 'u'}int{bits}){a.at(LEVEL['unary'])}", LEVEL["unary"],
                        lambda env: wrap(a.ev(env), signed, bits), signed)
        if kind == 10:
            c, a, b = self.condition(depth - 1), self.number(depth - 1), self.number(depth - 1)
            signed = a.signed or b.signed
            return Expr(f"{c.at(2)} ? {a.at(1)} : {b.at(1)}", LEVEL["?"],
                        lambda env: wrap((a if c.ev(env) else b).ev(env), signed), signed)
        if kind == 11:
            return self.element(depth)
        if kind == 12:
            return self.block(depth)
        if kind == 13 and self.functions:
            return self.call(depth)
        if kind == 14:
            return self.choice(depth)
        return self.leaf()

    def spaced(self, a, sign):
        """`- -x`, never `--x`."""
        text = a.at(LEVEL["unary"])
        return f" {text}" if text.startswith(sign) else text

    def integer(self, depth):
        """An expression of type int64."""
        a = self.number(depth)
        return Expr(f"(int64){a.at(LEVEL['unary'])}", LEVEL["unary"], lambda env: wrap(a.ev(env), True))

    def binary(self, depth):
        op = self.rng.choice(["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"])
        level = LEVEL[op]
        a = self.number(depth - 1)
        if op in ("<<", ">>") and not a.varies():
            return a
        if op in ("<<", ">>"):
            n = self.rng.randrange(0, 64)
            if self.rng.random() < 0.3:
                b = self.number(depth - 1)
                return Expr(f"{a.at(level)} {op} ({b.text} & 63)" if b.level >= LEVEL["&"] else
                            f"{a.at(level)} {op} (({b.text}) & 63)", level,
                            lambda env: operate(op, a.ev(env), b.ev(env), a.signed), a.signed)
            return Expr(f"{a.at(level)} {op} {n}", level, lambda env: operate(op, a.ev(env), n, a.signed), a.signed)
        b = self.literal() if self.rng.random() < 0.4 else self.number(depth - 1)
        if b.zero and op in ("/", "%"):
            b = self.cast_literal() if not self.named(INT) else self.leaf()    # a constant zero is refused when compiling
            if b.text.startswith("(int64)0"):
                b = Expr("7", LEVEL["atom"], lambda env: 7, flexible=True)
        if self.rng.random() < 0.2 and not b.flexible and op not in ("/", "%"):
            a = self.literal()
        if not a.varies() and not b.varies():
            op = "|"      # constants that overflow are refused
            level = LEVEL[op]
        signed = op == "-" or any(x.signed and not x.flexible for x in (a, b))
        return Expr(f"{a.at(level)} {op} {b.at(level + 1)}", level,
                    lambda env: operate(op, wrap(a.ev(env), signed), wrap(b.ev(env), signed), signed), signed)

    def element(self, depth):
        """A byte of a number taken as an array, the index constant or computed."""
        a, at = self.integer(depth - 1), self.rng.randrange(8)
        b = self.number(depth - 1)
        if self.rng.random() < 0.5:
            return Expr(f"((uint8[8]){a.at(LEVEL['unary'])})[{at}]", LEVEL["atom"],
                        lambda env: a.ev(env) >> (8 * at) & 255, False)
        return Expr(f"((uint8[8]){a.at(LEVEL['unary'])})[(uint64)({b.text}) % 8]", LEVEL["atom"],
                    lambda env: a.ev(env) >> (8 * (wrap(b.ev(env), False) % 8)) & 255, False)

    def block(self, depth):
        name = self.fresh("t")
        a = self.integer(depth - 1)
        self.vars.append((name, INT))
        b = self.integer(depth - 1)
        self.vars.pop()

        def ev(env):
            env[name] = a.ev(env)
            return b.ev(env)
        return Expr(f"{{ let {name} = {a.text}; {b.text} }}", LEVEL["?"], ev)

    def choice(self, depth):
        c, a, b = self.condition(depth - 1), self.integer(depth - 1), self.integer(depth - 1)
        return Expr(f"if ({c.text}) {{ {a.text} }} else {{ {b.text} }}", LEVEL["?"],
                    lambda env: (a if c.ev(env) else b).ev(env))

    def call(self, depth):
        name, params, run = self.rng.choice(self.functions)
        args = [self.value(k, depth - 1) for k in params]
        return Expr(f"{name}({', '.join(a.at(1) for a in args)})", LEVEL["atom"],
                    lambda env: run([a.ev(env) for a in args]))

    # ---- truth ----

    def condition(self, depth):
        kind = self.rng.randrange(9) if depth > 0 else 0
        if kind <= 1:
            op = self.rng.choice(list(COMPARE))
            a = self.number(depth - 1)
            b = self.literal() if self.rng.random() < 0.4 else self.number(depth - 1)
            signed = any(x.signed and not x.flexible for x in (a, b))
            return Expr(f"{a.at(LEVEL[op])} {op} {b.at(LEVEL[op] + 1)}", LEVEL[op],
                        lambda env: COMPARE[op](wrap(a.ev(env), signed), wrap(b.ev(env), signed)))
        if kind == 2:
            a = self.condition(depth - 1)
            return Expr(f"!{a.at(LEVEL['unary'])}", LEVEL["unary"], lambda env: not a.ev(env))
        if kind == 3:
            a, b = self.condition(depth - 1), self.condition(depth - 1)
            op = self.rng.choice(["&&", "||"])
            return Expr(f"{a.at(LEVEL[op])} {op} {b.at(LEVEL[op] + 1)}", LEVEL[op],
                        lambda env: (a.ev(env) and b.ev(env)) if op == "&&" else (a.ev(env) or b.ev(env)))
        op = self.rng.choice(["==", "!="])
        if kind == 7:
            return self.text_question()
        if kind == 8 and self.named(BOOL):
            name = self.rng.choice(self.named(BOOL))
            return Expr(name, LEVEL["atom"], lambda env: env[name])
        if kind == 4:
            found = [(n, k) for n, k in self.vars if is_composite(k) or is_known(k, "array")]
            if found:
                name, k = self.rng.choice(found)
                other = self.value(k, depth - 1)
                return Expr(f"{name} {op} {other.at(LEVEL[op] + 1)}", LEVEL[op],
                            lambda env: COMPARE[op](env[name], other.ev(env)))
        if kind == 5 and self.maps and not self.in_function:
            name, (key, _) = self.rng.choice(list(self.maps.items()))
            if key:
                k = self.value(key, 1)
                return Expr(f"has_key({name}, {k.at(1)})", LEVEL["atom"], lambda env: k.ev(env) in env[name])
        a, b = self.value(TEXT, depth - 1), self.value(TEXT, depth - 1)
        if a.level == LEVEL["atom"] and a.text.startswith('"') and b.text.startswith('"'):
            return Expr(self.rng.choice(["true", "(bool)1"]), LEVEL["unary"], lambda env: True)
        return Expr(f"{a.at(LEVEL[op])} {op} {b.at(LEVEL[op] + 1)}", LEVEL[op], lambda env: COMPARE[op](a.ev(env), b.ev(env)))

    def text_question(self):
        a, b = self.value(TEXT, 0), self.text_literal(64)
        kind = self.rng.randrange(4)
        if kind == 0:
            return Expr(f"strcontains({a.text}, {b.text})", LEVEL["atom"], lambda env: b.ev(env) in a.ev(env))
        if kind == 1:
            n = self.rng.randrange(1, 9)
            return Expr(f"strncmp({a.text}, {b.text}, {n}) == 0", LEVEL["=="],
                        lambda env: (a.ev(env) + "\0")[:n] == (b.ev(env) + "\0")[:n])
        if kind == 2:
            pattern = self.rng.choice(["*", "a*", "*b", "w*e*", "some words", "*x", "y*y", ""])
            return Expr(f'glob({a.text}, "{pattern}")', LEVEL["atom"], lambda env: matches(a.ev(env), pattern))
        return Expr(f"strcasecmp({a.text}, {b.text}) == 0", LEVEL["=="], lambda env: a.ev(env).lower() == b.ev(env).lower())

    # ---- other types ----

    def kind(self, depth=2):
        """A random type of values."""
        n = self.rng.randrange(12)
        if n >= 8:
            return self.rng.choice([BOOL, ENUM, self.rng.choice(ARRAYS), self.rng.choice(SIZED)])
        if n < 3 or depth <= 0:
            return INT
        if n < 5:
            return TEXT
        kinds = [self.kind(depth - 1) for _ in range(self.rng.randrange(2, 4))]
        if n < 7:
            return ("tuple", kinds)
        return ("record", [("abcd"[i], k) for i, k in enumerate(kinds)])

    def part(self, kind):
        """An element of a tuple or record in a variable."""
        found = []
        for name, k in self.vars:
            if not is_composite(k):
                continue
            for i, part in enumerate(k[1]):
                word, inner = (str(i), part) if k[0] == "tuple" else part
                if inner == kind:
                    found.append((name, i, word))
                elif is_known(inner, "tuple"):
                    found += [(name, (i, j), f"{word}.{j}") for j, deep in enumerate(inner[1]) if deep == kind]
        if not found:
            return None
        name, i, word = self.rng.choice(found)
        if isinstance(i, tuple):
            return Expr(f"{name}.{word}", LEVEL["atom"], lambda env: env[name][i[0]][i[1]])
        return Expr(f"{name}.{word}", LEVEL["atom"], lambda env: env[name][i])

    def map_read(self, kind, depth):
        found = [(n, k) for n, (k, v) in self.maps.items() if v == kind]
        if not found:
            return None
        name, key = self.rng.choice(found)
        if not key:
            return Expr(name, LEVEL["atom"], lambda env: env[name])
        k = self.value(key, depth - 1)
        return Expr(f"{name}[{k.at(1)}]", LEVEL["atom"], lambda env: env[name].get(k.ev(env), zero_of(kind)))

    def text_literal(self, most=200):
        word = self.rng.choice([w for w in WORDS if len(w) <= most])
        return Expr(f'"{word}"', LEVEL["atom"], lambda env: word)

    def value(self, kind, depth):
        if kind == INT:
            return self.integer(max(depth, 0))
        n = self.rng.randrange(6)
        names = self.named(kind)
        if n < 2 and names:
            name = self.rng.choice(names)
            return Expr(name, LEVEL["atom"], lambda env: env[name])
        if n == 2 and not self.in_function:
            found = self.map_read(kind, depth)
            if found:
                return found
        if n == 3 and depth > 0:
            c, a, b = self.condition(depth - 1), self.value(kind, depth - 1), self.value(kind, depth - 1)
            return Expr(f"{c.at(2)} ? {a.at(1)} : {b.at(1)}", LEVEL["?"], lambda env: (a if c.ev(env) else b).ev(env))
        if n == 4:
            found = self.part(kind)
            if found:
                return found
        if kind == TEXT:
            return self.text_literal()
        if kind == BOOL:
            return self.condition(depth)
        if kind == ENUM:
            return self.colour(depth)
        if kind[0] in ("sized", "array"):
            return self.memory(kind, depth)
        kinds = kind[1] if kind[0] == "tuple" else [k for _, k in kind[1]]
        parts = [self.value(k, depth - 1) for k in kinds]
        words = [p.at(1) if kind[0] == "tuple" else f"{kind[1][i][0]} = {p.at(1)}" for i, p in enumerate(parts)]
        return Expr("(" + ", ".join(words) + ")", LEVEL["atom"], lambda env: tuple(p.ev(env) for p in parts))

    def colour(self, depth):
        if self.rng.random() < 0.5:
            name = self.rng.choice(list(COLOURS))
            return Expr(name, LEVEL["atom"], lambda env: COLOURS[name])
        names = self.named(INT)
        if not names:
            return Expr("BLUE", LEVEL["atom"], lambda env: 40)
        name = self.rng.choice(names)    # a variable: constants must be known ones
        return Expr(f"(enum colour)({name} & 3)", LEVEL["unary"], lambda env: env[name] & 3)

    def memory(self, kind, depth):
        """A number cut to a size, or its memory as an array."""
        bits, signed, *rest = kind[1]
        a, name = self.integer(depth - 1), f"{'' if signed else 'u'}int{bits}"
        if not rest:
            return Expr(f"({name}){a.at(LEVEL['unary'])}", LEVEL["unary"], lambda env: wrap(a.ev(env), signed, bits), signed)
        return Expr(f"({name}[{rest[0]}]){a.at(LEVEL['unary'])}", LEVEL["unary"],
                    lambda env: split(a.ev(env), bits, signed, rest[0]))

    # ---- aggregations ----

    def aggregate_read(self):
        found = [(n, how, key) for n, (how, key) in self.aggregates.items() if how in AGGREGATES and how != "stats"]
        if not found:
            return None
        name, how, key = self.rng.choice(found)
        if not key:
            return Expr(f"(int64){name}", LEVEL["unary"], lambda env: AGGREGATES[how](env[name].get(None, [])))
        k = self.value(key, 0)
        return Expr(f"(int64){name}[{k.at(1)}]", LEVEL["unary"], lambda env: AGGREGATES[how](env[name].get(k.ev(env), [])))

    # ---- statements ----

    def fresh(self, what):
        self.count += 1
        return f"${self.prefix}{what}{self.count}"

    def body(self, depth, loop, n=None):
        """Some statements in a block of their own."""
        here, stmts = len(self.vars), []
        for _ in range(n or self.rng.randrange(1, 4)):
            stmts.append(self.statement(depth, loop))
        del self.vars[here:]
        return stmts

    def statement(self, depth, loop=False):
        kind = self.rng.randrange(23)
        if kind < 4:
            return self.declare()
        if kind > 20 and not self.in_function:
            return self.walk() if kind == 21 else self.seek()
        if kind < 7:
            return self.assign()
        if kind < 9:
            return self.show()
        if kind < 11 and not self.in_function:
            return self.map_assign()
        if kind == 11 and not self.in_function:
            return self.map_change()
        if kind == 12 and not self.in_function:
            return self.aggregate()
        if kind in (13, 14) and depth > 0:
            return self.branch(depth, loop)
        if kind in (15, 16) and depth > 0:
            return self.range(depth)
        if kind == 17 and depth > 0:
            return self.repeat(depth)
        if kind == 18 and depth > 0:
            return self.unroll(depth)
        if kind == 19 and self.macros:
            return self.macro()
        if loop and self.rng.random() < 0.5:
            return self.leave()
        return self.declare()

    def declare(self):
        kind = self.rng.choice([INT, INT, self.kind()])
        a = self.value(kind, 2)
        name = self.fresh("v")
        word = "let " if self.rng.random() < 0.2 else ""
        self.vars.append((name, kind))

        def run(env):
            env[name] = a.ev(env)
        return Stmt(f"{word}{name} = {a.text};", run)

    def assign(self):
        names = [(n, k) for n, k in self.vars if not n.startswith("$i")]
        if not names:
            return self.declare()
        name, kind = self.rng.choice(names)
        if kind != INT:
            a = self.value(kind, 2)

            def run(env):
                env[name] = a.ev(env)
            return Stmt(f"{name} = {a.text};", run)
        if self.rng.random() < 0.3:
            op = self.rng.choice(["++", "--"])

            def step(env):
                env[name] = wrap(env[name] + (1 if op == "++" else -1), True)
            return Stmt(self.rng.choice([f"{name}{op};", f"{op}{name};"]), step)
        op = self.rng.choice(["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"])
        a = self.integer(2)
        if op in ("<<", ">>"):
            a = Expr(f"({a.text} & 63)", LEVEL["atom"], lambda env, b=a: b.ev(env) & 63)

        def compound(env):
            env[name] = operate(op, env[name], a.ev(env), True)
        return Stmt(f"{name} {op}= {a.text};", compound)

    def show(self):
        """What is judged: a line that begins with a mark and a number of its own."""
        self.count += 1
        mark, kinds = self.count, [self.kind() for _ in range(self.rng.randrange(1, 4))]
        kinds = [BOOL if self.rng.random() < 0.15 else k for k in kinds]
        args = [self.condition(2) if k == BOOL else self.value(k, 3) for k in kinds]
        if self.rng.random() < 0.3:
            words = " ".join("%ld" if k == INT else "%s" for k in kinds)

            def run_printf(env):
                env["out"].append(f"= {mark} " + " ".join(shown(a.ev(env), k) for a, k in zip(args, kinds)))
            return Stmt(f'printf("= {mark} {words}\\n", {", ".join(a.at(1) for a in args)});', run_printf)

        def run(env):
            env["out"].append(f"(=, {mark}, " + ", ".join(shown(a.ev(env), k) for a, k in zip(args, kinds)) + ")")
        return Stmt(f'print(("=", {mark}, {", ".join(a.at(1) for a in args)}));', run)

    def map_assign(self):
        if self.maps and self.rng.random() < 0.6:
            name = self.rng.choice(list(self.maps))
        else:
            name = f"@k{self.prefix}{len(self.maps)}"
        key, kind = self.maps.get(name, (self.rng.choice([None, INT, TEXT, self.kind()]), self.kind()))
        a = self.value(kind, 2)
        k = self.value(key, 1) if key else None
        self.maps[name] = (key, kind)    # from here on it may be read
        if not key:
            def run(env):
                env[name] = a.ev(env)
            return Stmt(f"{name} = {a.text};", run)

        def run_keyed(env):
            env[name][k.ev(env)] = a.ev(env)
        return Stmt(f"{name}[{k.at(1)}] = {a.text};", run_keyed)

    def walk(self):
        """A sum over a map, or how many entries it has."""
        found = [(n, k, v) for n, (k, v) in self.maps.items() if k and INT in (k, v)]
        if not found:
            return self.map_change()
        self.walks_maps = True
        name, key, kind = self.rng.choice(found)
        to = self.fresh("v")
        self.vars.append((to, INT))
        if self.rng.random() < 0.3:
            def run_len(env):
                env[to] = len(env[name])
            return Stmt(f"{to} = len({name});", run_len)
        part = self.rng.choice([i for i, k in enumerate((key, kind)) if k == INT])
        pair = self.fresh("e")

        def run(env):
            env[to] = wrap(sum(e[part] for e in env[name].items()), True)
        return Stmt(f"{to} = (int64)0;\nfor ({pair} : {name}) {{\n\t{to} += {pair}.{part};\n}}", run)

    def seek(self):
        """find(): the value, where the key is there."""
        found = [(n, k, v) for n, (k, v) in self.maps.items() if k]
        if not found:
            return self.map_assign()
        name, key, kind = self.rng.choice(found)
        k, a = self.value(key, 1), self.value(kind, 1)
        to, was = self.fresh("v"), self.fresh("v")
        self.vars += [(to, kind), (was, BOOL)]

        def run(env):
            key = k.ev(env)
            env[to] = a.ev(env)
            env[was] = key in env[name]
            env[to] = env[name].get(key, env[to])
        return Stmt(f"{to} = {a.text};\n{was} = find({name}, {k.at(1)}, {to});", run)

    def map_change(self):
        """Count, add, delete."""
        found = [n for n, (k, v) in self.maps.items() if k and v == INT]
        if not found:
            return self.map_assign()
        name = self.rng.choice(found)
        k = self.value(self.maps[name][0], 1)
        kind = self.rng.randrange(3)
        if kind == 0:
            def run_delete(env):
                env[name].pop(k.ev(env), None)
            return Stmt(f"_ = delete({name}, {k.at(1)});", run_delete)
        if kind == 1:
            def run_step(env):
                key = k.ev(env)
                env[name][key] = wrap(env[name].get(key, 0) + 1, True)
            return Stmt(f"{name}[{k.at(1)}]++;", run_step)
        a = self.integer(1)

        def run_add(env):
            key = k.ev(env)
            env[name][key] = wrap(env[name].get(key, 0) + a.ev(env), True)
        return Stmt(f"{name}[{k.at(1)}] += {a.text};", run_add)

    def aggregate(self):
        if self.aggregates and self.rng.random() < 0.6:
            name = self.rng.choice(list(self.aggregates))
        else:
            name = f"@agg{self.prefix}{len(self.aggregates)}"
            self.aggregates[name] = (self.rng.choice(list(AGGREGATES) + ["hist", "lhist"]), self.rng.choice([None, INT, TEXT]))
        how, key = self.aggregates[name]
        small = self.integer(1)
        a = Expr(f"(int64)({small.text} % 100000)", LEVEL["unary"], lambda env: divide(small.ev(env), 100000)[1])
        k = self.value(key, 1) if key else None
        words = {"count": "count()", "lhist": f"lhist({a.text}, 0, 100, 10)"}.get(how, f"{how}({a.text})")

        def run(env):
            env[name].setdefault(k.ev(env) if k else None, []).append(a.ev(env))
        return Stmt(f"{name}{f'[{k.at(1)}]' if k else ''} = {words};", run)

    def branch(self, depth, loop):
        c, yes = self.condition(2), self.body(depth - 1, loop)
        no = self.body(depth - 1, loop) if self.rng.random() < 0.5 else []
        text = f"if ({c.text}) {{\n{indent(yes)}\n}}" + (f" else {{\n{indent(no)}\n}}" if no else "")
        return Stmt(text, lambda env: run_all(yes if c.ev(env) else no, env))

    def leave(self):
        c = self.condition(1)
        word = self.rng.choice(["break", "continue"])
        return Stmt(f"if ({c.text}) {{ {word}; }}", lambda env: word if c.ev(env) else None)

    def turns(self):
        """How often a loop may turn: less inside others."""
        most = max(1, min(6, int(math.sqrt(self.budget)) // 2))
        n = self.rng.randrange(0, most + 1)
        self.budget = max(1, self.budget // max(n, 1))
        return n

    def range(self, depth):
        before, n = self.budget, self.turns()
        first = self.rng.choice([0, 0, 1, 5])
        name = self.fresh("i")
        self.vars.append((name, INT))
        body = self.body(depth - 1, True)
        self.vars.pop()
        self.budget = before

        def run(env):
            for i in range(first, first + n):
                env[name] = i
                signal = run_all(body, env)
                if signal == "break":
                    break
                if signal and signal != "continue":
                    return signal
            return None
        # the loop's variable is as narrow as its bounds: give it 64 bits like all others
        return Stmt(f"for {name} : ((int64){first})..((int64){first + n}) {{\n{indent(body)}\n}}", run)

    def repeat(self, depth):
        before, n = self.budget, self.turns()
        name = self.fresh("w")
        body = self.body(depth - 1, True)
        self.budget = before

        def run(env):
            env[name] = 0
            while env[name] < n:
                env[name] += 1
                signal = run_all(body, env)
                if signal == "break":
                    break
                if signal and signal != "continue":
                    return signal
            return None
        return Stmt(f"{name} = (int64)0;\nwhile ({name} < {n}) {{\n\t{name}++;\n{indent(body)}\n}}", run)

    def unroll(self, depth):
        n = self.rng.randrange(1, 4)
        before, self.budget = self.budget, max(1, self.budget // n)
        body = self.body(depth - 1, True)
        self.budget = before

        def run(env):
            for _ in range(n):
                signal = run_all(body, env)
                if signal == "break":
                    break
                if signal and signal != "continue":
                    return signal
            return None
        return Stmt(f"unroll ({n}) {{\n{indent(body)}\n}}", run)

    def macro(self):
        names = [n for n in self.named(INT) if "i" not in n]
        if not names:
            return self.declare()
        name, run = self.rng.choice(self.macros)
        var, a = self.rng.choice(names), self.integer(1)
        to = self.fresh("v")
        self.vars.append((to, INT))

        def run_macro(env):
            env[to] = run(env, var, a)
        return Stmt(f"{to} = {name}({a.text}, {var});", run_macro)


AGGREGATES = {
    "count": len,
    "sum": lambda v: wrap(sum(v), True),
    "min": lambda v: min(v, default=0),
    "max": lambda v: max(v, default=0),
    "avg": lambda v: divide(sum(v), len(v))[0] if v else 0,
    "stats": lambda v: f"{{ .count = {len(v)}, .average = {divide(sum(v), len(v))[0] if v else 0}, .total = {sum(v)} }}",
}


def indent(stmts):
    return "\n".join("\t" + line for s in stmts for line in s.text.split("\n"))


class Known:
    """Definitions, functions, macros and a begin probe.  It prints the lines `wanted` in this order, among others, and its maps at
    the end are `dumped`."""

    def __init__(self, rng):
        self.rng = rng
        self.after = {}    # a line -> the one that follows it
        scope = Scope(rng)
        parts = [DEFINITIONS]
        parts += [self.macro(scope, i) for i in range(rng.randrange(0, 2))]
        parts += [self.function(scope, i) for i in range(rng.randrange(0, 3))]
        for value in (1, -7, -(1 << 40) + 3, (1 << 62) + 12345):
            name = scope.fresh("v")
            scope.vars.append((name, INT))
        starts = [f"@s{i} = (int64){v};" for i, v in enumerate((1, -7, -(1 << 40) + 3, (1 << 62) + 12345))]
        reads = [f"{n} = @s{i};" for i, (n, _) in enumerate(scope.vars)]
        env = {"out": []}
        for (name, _), value in zip(scope.vars, (1, -7, -(1 << 40) + 3, (1 << 62) + 12345)):
            env[name] = value
        stmts = [scope.statement(3) for _ in range(rng.randrange(4, 12))] + [scope.show()]
        for name, (key, kind) in scope.maps.items():
            env[name] = {} if key else zero_of(kind)
        for name in scope.aggregates:
            env[name] = {}
        run_all(stmts, env)
        tail = [f"clear(@s{i});" for i in range(4)] + self.elements(scope, env)
        parts.append("begin {\n" + "\n".join("\t" + s for s in starts + reads) + "\n" + indent(stmts) + "\n" +
                     "\n".join("\t" + t for t in tail) + "\n}")
        self.text = "\n".join(parts)
        self.wanted = env["out"]
        self.needs = {"for_each_map_elem"} if scope.walks_maps else set()
        self.dumped = self.dump(scope, env)

    def elements(self, scope, env):
        """Single elements of aggregations, each kind that can be printed."""
        lines = []
        for name, (how, key) in scope.aggregates.items():
            if how not in AGGREGATES or key != INT:
                continue
            for k, values in list(env[name].items())[:2]:
                scope.count += 1
                lines += [f'printf("= {scope.count}\\n");', f"print({name}[(int64){k}]);"]
                env["out"].append(f"= {scope.count}")
                self.after[f"= {scope.count}"] = str(AGGREGATES[how](values))
        return lines

    def macro(self, scope, i):
        op, n = self.rng.choice(["+", "-", "^"]), self.rng.randrange(1, 9)

        def run(env, var, a):
            env[var] = operate(op, env[var], a.ev(env), True)
            return operate("*", env[var], n, True)
        scope.macros.append((f"mac{i}", run))
        return f"macro mac{i}(a, $b) {{ $b {op}= a; (int64)($b * {n}) }}"

    def function(self, scope, i):
        inner = Scope(self.rng, f"f{i}")
        inner.in_function = True
        inner.budget = 8
        inner.functions = list(scope.functions)
        params = [self.rng.choice([INT, INT, TEXT, BOOL, self.rng.choice(SIZED)]) for _ in range(self.rng.randrange(1, 5))]
        names = [inner.fresh("p") for _ in params]
        inner.vars = list(zip(names, params))
        stmts = []
        for _ in range(self.rng.randrange(1, 4)):
            s = inner.statement(1)
            while "print" in s.text:
                s = inner.declare()
            stmts.append(s)
        if self.rng.random() < 0.3:
            c, early = inner.condition(2), inner.integer(1)
            stmts.append(Stmt(f"if ({c.text}) {{ return {early.text}; }}",
                              lambda env: ("return", early.ev(env)) if c.ev(env) else None))
        result = inner.integer(3)

        def run(args):
            env = dict(zip(names, args))
            env["out"] = []
            signal = run_all(stmts, env)
            return signal[1] if signal else result.ev(env)
        scope.functions.append((f"fun{i}", params, run))
        spelled = {INT: "int64", TEXT: "string[256]", BOOL: "bool"}
        words = ", ".join(f"{n} : {spelled.get(k) or ('' if k[1][1] else 'u') + f'int{k[1][0]}'}" for n, k in zip(names, params))
        return f"fn fun{i}({words}) : int64 {{\n{indent(stmts)}\n\treturn {result.text};\n}}"

    def judge(self, lines):
        """What is wrong with the printed lines, or None."""
        printed = [line for line in lines if line.startswith(("= ", "(=, "))]
        for got, want in zip(printed + [None] * len(self.wanted), self.wanted):
            if got != want:
                return f"printed {got!r}, not {want!r}"
        if len(printed) != len(self.wanted):
            return f"printed too much: {printed[len(self.wanted)]!r}"
        for line, following in self.after.items():
            if lines[lines.index(line) + 1] != following:
                return f"printed {lines[lines.index(line) + 1]!r} after {line!r}, not {following!r}"
        missing = [line for line in self.dumped if line not in lines]
        return f"not in the maps: {missing[0]!r}" if missing else None

    def dump(self, scope, env):
        """Lines of the maps at the end."""
        lines = []
        for name, (key, kind) in scope.maps.items():
            if not key:
                continue    # whether it was ever written is not followed
            for k, v in env[name].items():
                text = shown(k, key)
                if isinstance(key, tuple) and key[0] == "tuple":
                    text = text[1:-1]
                lines.append(f"{name}[{text}]: {shown(v, kind)}")
        for name, (how, key) in scope.aggregates.items():
            if how in AGGREGATES:
                for k, values in env[name].items():
                    at = "" if key is None else f"[{shown(k, key)}]"
                    lines.append(f"{name}{at}: {AGGREGATES[how](values)}")
        return lines
