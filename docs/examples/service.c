/* service.c: a service that holds on to memory, for docs/lab.md. Not a large one: what large ones
 * do to a heap, and nothing else.
 *
 *   service [MEGABYTES] [--move]
 *
 * Clients come in a burst; each gets a session, and what is needed to serve it is freed at once.
 * Then they go, but one in eight stays: a subscriber, whose session is kept. --move copies the
 * sessions of subscribers when the burst is over, all of them before it frees any: the copies fill
 * what is free beside sessions, and the slabs that are empty then go back.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SESSION_BYTES = 4000, STAYS = 8, NODES = 2, PACE = 1000 };

struct session {
    uint32_t client;
    char state[SESSION_BYTES - sizeof(uint32_t)];
};

static void rest(long milliseconds) {
    const struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    (void)nanosleep(&pause, NULL);
}

static void *get(size_t bytes) {
    void *memory = malloc(bytes);
    if (!memory)
        exit(1);
    memset(memory, 1, bytes);
    return memory;
}

static struct session *open_session(uint32_t client) {
    struct session *session = get(sizeof *session);
    session->client = client;
    return session;
}

static char *read_request(uint32_t client) {
    return get(512 + client % 7 * 300);
}

static void *parse_node(uint32_t number) {
    return get(48 + number % 4 * 16);
}

static char *format_reply(uint32_t client) {
    char *reply = get(256);
    for (size_t bytes = 512; bytes <= 256u << client % 4; bytes *= 2) {
        char *larger = realloc(reply, bytes);
        if (!larger)
            exit(1);
        reply = larger;
    }
    return reply;
}

static struct session *serve_client(uint32_t client) {
    struct session *session = open_session(client);
    char *request = read_request(client);
    void *tree[NODES];
    for (uint32_t i = 0; i < NODES; i++)
        tree[i] = parse_node(client + i);
    char *reply = format_reply(client);
    for (uint32_t i = 0; i < NODES; i++)
        free(tree[i]);
    free(reply);
    free(request);
    return session;
}

static int is_subscriber(uint32_t client) {
    return client % STAYS == 0;
}

static void burst(struct session **sessions, uint32_t clients) {
    for (uint32_t client = 0; client < clients; client++) {
        sessions[client] = serve_client(client);
        if (client % (clients / PACE + 1) == 0)
            rest(1);
    }
}

static void end_sessions(struct session **sessions, uint32_t clients) {
    for (uint32_t client = 0; client < clients; client++) {
        if (!is_subscriber(client))
            free(sessions[client]);
        if (client % (clients / PACE + 1) == 0)
            rest(1);
    }
}

static void move_subscribers(struct session **sessions, uint32_t clients) {
    struct session **old = get(clients * sizeof *old);
    for (uint32_t client = 0; client < clients; client += STAYS) {
        old[client] = sessions[client];
        sessions[client] = get(sizeof *sessions[client]);
        *sessions[client] = *old[client];
    }
    for (uint32_t client = 0; client < clients; client += STAYS)
        free(old[client]);
    free(old);
}

int main(int argc, char **argv) {
    const uint32_t megabytes = argc > 1 ? (uint32_t)atoi(argv[1]) : 800;
    const uint32_t clients = (megabytes ? megabytes : 1) * (1000000u / SESSION_BYTES);
    struct session **sessions = get(clients * sizeof *sessions);
    burst(sessions, clients);
    rest(1000);
    end_sessions(sessions, clients);
    if (argc > 2 && strcmp(argv[2], "--move") == 0)
        move_subscribers(sessions, clients);
    rest(4000); /* a quiet time, in which memory could go back */
    (void)printf("%u subscribers of %u clients\n", (clients + STAYS - 1) / STAYS, clients);
    for (uint32_t client = 0; client < clients; client += STAYS)
        free(sessions[client]);
    free(sessions);
    return 0;
}
