// guest-test: variants=dynamic plugins=one,two,three timeout=120
// guest-flags: -rdynamic
// Libraries opened, closed and opened again at the same place, with constructors, thread-local data, scopes, and errors.
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int of_program(int x) {
    return x * 3;
}

static int call(void *library, const char *name) {
    int (*function)(void) = (int (*)(void))dlsym(library, name);
    return function ? function() : -99;
}

static void *in_thread(void *library) {
    printf("thread %d %d\n", call(library, "one_count"), call(library, "one_count"));
    return NULL;
}

static int count_ours(struct dl_phdr_info *info, size_t size, void *count) {
    *(int *)count += strstr(info->dlpi_name, "one.so") || strstr(info->dlpi_name, "two.so");
    return 0;
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    pthread_t thread;
    void *one = dlopen("./one.so", RTLD_NOW | RTLD_LOCAL);
    if (!one) return puts(dlerror()), 1;
    printf("%d %d %d %d\n", call(one, "which"), call(one, "one_program"), call(one, "one_two"), call(one, "one_shared"));
    for (int i = 0; i < 2; i++) {
        pthread_create(&thread, NULL, in_thread, one);
        pthread_join(thread, NULL);
    }
    printf("main %d %d\n", call(one, "one_count"), call(one, "one_count"));
    printf("missing %d %d\n", dlsym(one, "nowhere") == NULL, dlerror() != NULL);
    printf("no file %d %d\n", dlopen("./none.so", RTLD_NOW) == NULL, strstr(dlerror(), "none.so") != NULL);
    printf("again %d\n", dlopen("./one.so", RTLD_NOW) == one);
    void *two = dlopen("./two.so", RTLD_LAZY | RTLD_GLOBAL);
    int count = 0;
    dl_iterate_phdr(count_ours, &count);
    Dl_info info;
    dladdr(dlsym(two, "which"), &info);
    printf("both %d, %s in %s, %d\n", count, info.dli_sname, strrchr(info.dli_fname, '/') + 1, call(two, "two_count"));
    printf("global %d %d\n", call(RTLD_DEFAULT, "of_two"), call(RTLD_DEFAULT, "one_count"));
    printf("closed %d %d %d\n", dlclose(one), dlclose(one), dlclose(two));
    int sum = 0;
    for (int i = 0; i < 20; i++) {  // the loader puts the one where the other was
        void *library = dlopen(i % 2 ? "./three.so" : "./one.so", RTLD_NOW);
        for (int k = 0; k < 1000; k++) sum += call(library, "which");
        dlclose(library);
    }
    printf("in turns %d\n", sum);
    void *maths = dlopen("libm.so.6", RTLD_LAZY);
    double (*cosine)(double) = (double (*)(double))dlsym(maths, "cos");
    printf("cos %.10f\n", cosine(1));
    return 0;
}
