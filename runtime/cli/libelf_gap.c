// Debian 13's static libelf (elfutils 0.192) lacks two functions of its own library for search trees, which hold the chunks that
// elf_getdata_rawchunk gave out. It begins and ends such a tree for every file; ours stays empty, because nothing here asks for
// chunks. Where libelf has the functions, they replace these.
#include <stddef.h>

struct search_tree {
    void *root;
};

__attribute__((weak)) void eu_search_tree_init(struct search_tree *tree);
__attribute__((weak)) void eu_search_tree_init(struct search_tree *tree) {
    tree->root = NULL;
}

__attribute__((weak)) void eu_search_tree_fini(struct search_tree *tree, void (*free_node)(void *));
__attribute__((weak)) void eu_search_tree_fini(struct search_tree *tree, void (*free_node)(void *)) {
    (void)tree, (void)free_node;
}
