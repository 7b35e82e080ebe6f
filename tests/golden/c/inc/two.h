#pragma once
struct from_two { int a; };
