// Standard output: whether all of it was written, and the one part of JSON that is easy to get wrong, strings.
#include "runtime/cli/cli.h"
#include <errno.h>
#include <string.h>

int output_status(int status) {
    if (!fflush(stdout) && !ferror(stdout)) return status;
    error_say("cannot write to standard output: %s", strerror(errno));
    return EXIT_FAILED;
}

void json_string(FILE *file, const char *text) {
    if (!text) {
        fputs("null", file);
        return;
    }
    fputc('"', file);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\') fprintf(file, "\\%c", *c);
        else if (*c == '\n') fputs("\\n", file);
        else if (*c < 0x20 || *c == 0x7f) fprintf(file, "\\u%04x", *c);
        else fputc(*c, file);
    }
    fputc('"', file);
}
