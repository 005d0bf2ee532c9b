// Debug locations, for people who look at a region's code: they say of each instruction which guest instruction it was made for, through all of LLVM's
// passes, and change nothing else.
#include "translator/llvm/build.h"
#include <llvm-c/DebugInfo.h>

void build_begin_lines(struct build *b) {
    if (!b->region->lines) return;
    LLVMDIBuilderRef info = LLVMCreateDIBuilder(b->module);
    LLVMMetadataRef file = LLVMDIBuilderCreateFile(info, "guest", 5, "", 0);
    LLVMDIBuilderCreateCompileUnit(info, LLVMDWARFSourceLanguageC, file, "ferry", 5, 1, "", 0, 0, "", 0,
                                   LLVMDWARFEmissionLineTablesOnly, 0, 0, 0, "", 0, "", 0);
    LLVMMetadataRef type = LLVMDIBuilderCreateSubroutineType(info, file, NULL, 0, LLVMDIFlagZero);
    b->lines = LLVMDIBuilderCreateFunction(info, file, "region", 6, "", 0, file, 0, type, 1, 1, 0, LLVMDIFlagZero, 1);
    LLVMSetSubprogram(b->function, b->lines);
    LLVMDIBuilderFinalize(info);
    LLVMDisposeDIBuilder(info);
}

void build_line(struct build *b, const struct uop *u) {
    if (!b->lines) return;
    unsigned block = (unsigned)(b->block - b->region->block);
    LLVMMetadataRef place =
        u ? LLVMDIBuilderCreateDebugLocation(b->context, block * REGION_BLOCK_LINES + u->offset + 1, 0, b->lines, NULL) : NULL;
    LLVMSetCurrentDebugLocation2(b->ir, place);
}
