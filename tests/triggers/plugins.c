/*
 * plugins N [MILLISECONDS]: opens libwtplug.so beside itself with dlopen and calls plug_work() in it N times, which calls plug_inner()
 * as often; with MILLISECONDS it waits as long before it closes the library.
 */
#include <dlfcn.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 1, i;
	char self[4096], path[4200];
	ssize_t got = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int (*work)(int);
	void *library;

	self[got > 0 ? got : 0] = '\0';
	snprintf(path, sizeof(path), "%s/libwtplug.so", dirname(self));
	library = dlopen(path, RTLD_NOW);
	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	*(void **)&work = dlsym(library, "plug_work");
	for (i = 1; work && i <= n; i++)
		work(i);
	if (argc > 2)
		usleep((unsigned)atoi(argv[2]) * 1000);
	dlclose(library);
	return !work;
}
