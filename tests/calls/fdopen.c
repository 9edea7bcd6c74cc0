// fdopen: a socket under stdio: lines, formatted output, the end of file, two streams over one socket.
#include "check.h"

int main(void) {
    begin();
    EACH_FAMILY(family) {
        SECTION("%s", family_name(family));
        int ends[2];
        char line[64];
        tcp_pair(family, ends);
        FILE *out = fdopen(ends[0], "w"), *in = fdopen(ends[1], "r"), *back = fdopen(dup(ends[1]), "w");
        FILE *answers = fdopen(dup(ends[0]), "r");
        CHECK(out && in && back && answers);
        TRY(fprintf(out, "line %d\nsecond line\nno newline", 1));
        TRY(fflush(out));
        CHECK(fgets(line, sizeof line, in) && strcmp(line, "line 1\n") == 0);
        CHECK(fgets(line, sizeof line, in) && strcmp(line, "second line\n") == 0);
        TRY(fputs("answer\n", back) >= 0);
        TRY(fflush(back));
        CHECK(fgets(line, sizeof line, answers) && strcmp(line, "answer\n") == 0);
        TRY(shutdown(fileno(out), SHUT_WR));
        CHECK(fgets(line, sizeof line, in) && strcmp(line, "no newline") == 0);
        CHECK(fgets(line, sizeof line, in) == NULL && feof(in));
        TRY(fclose(back));
        TRY(fclose(in));
        CHECK(fgets(line, sizeof line, answers) == NULL && feof(answers));
        TRY(fseek(answers, 0, SEEK_SET));
        TRY(fclose(answers));
        TRY(fclose(out));
    }
    SECTION("wrong arguments");
    CHECK(fdopen(CLOSED, "r") == NULL && errno == EBADF);
    CHECK(fdopen(socket(AF_INET, SOCK_STREAM, 0), "nonsense") == NULL && errno == EINVAL);
    return 0;
}
