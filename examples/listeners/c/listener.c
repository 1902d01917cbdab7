/* Writes every event to standard error. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value of a token of the header, up to the blank after it. */
static const char *token(const char *header, const char *key)
{
    const char *found = strstr(header, key);
    return found ? found + strlen(key) : NULL;
}

/* How many bytes of UTF-8 follow this one, which begins a character. */
static int following(int byte)
{
    return byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc0 ? 1 : 0;
}

/* Copies so many characters, not bytes, to standard error; 0: the input ended first. */
static int copy(long characters)
{
    for (; characters > 0; characters--) {
        int byte = getchar();
        for (int more = following(byte); byte != EOF && more > 0; more--) {
            putc(byte, stderr);
            byte = getchar();
        }
        if (byte == EOF)
            return 0;
        putc(byte, stderr);
    }
    return 1;
}

int main(void)
{
    static char errors[BUFSIZ];
    char *header = NULL;
    size_t room = 0;

    setvbuf(stderr, errors, _IOFBF, sizeof errors);
    for (;;) {
        fputs("READY\n", stdout);
        fflush(stdout);
        if (getline(&header, &room, stdin) < 0)
            break;
        const char *name = token(header, " eventname:");
        const char *length = token(header, " len:");
        if (!name || !length) {
            fprintf(stderr, "not an event: %s", header);
            return 1;
        }
        fprintf(stderr, "%.*s: ", (int)strcspn(name, " "), name);
        if (!copy(strtol(length, NULL, 10)))
            break;
        fputs("\n", stderr);
        fflush(stderr);
        fputs("RESULT 2\nOK", stdout);
        fflush(stdout);
    }
    free(header);
    return 0;
}
