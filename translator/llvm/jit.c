// LLVM's passes and ORC: see jit.h. The only file that depends on LLVM's version.
#include "translator/llvm/jit.h"
#include <llvm-c/LLJIT.h>
#include <llvm-c/Orc.h>
#include <llvm-c/OrcEE.h>
#include <llvm-c/Support.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <llvm/Config/llvm-config.h>
#include <stdlib.h>
#include <string.h>

static const char passes[] =
    "always-inline,function(sroa,early-cse,instcombine<no-verify-fixpoint>,simplifycfg,loop-simplify,lcssa,loop-mssa(licm),instcombine<no-verify-fixpoint>,simplifycfg)";

struct jit {
    struct jit_memory *memory;
    LLVMOrcLLJITRef lljit;
    LLVMOrcJITDylibRef code;  // without a way to the compiler's own symbols
    LLVMTargetMachineRef machine;
    LLVMOrcThreadSafeContextRef context;
    LLVMModuleRef module;
};

struct jit_unit {
    struct jit *jit;
    LLVMOrcResourceTrackerRef tracker;
};

bool jit_is_as_built(void) {
    unsigned major, minor, patch;
    LLVMGetVersion(&major, &minor, &patch);
    return major == LLVM_VERSION_MAJOR && minor == LLVM_VERSION_MINOR && patch == LLVM_VERSION_PATCH;
}

// ---- memory

static uint8_t *allocate(struct jit_memory *memory, size_t size, size_t align) {
    enum { LEAST = 16 };
    if (align < LEAST) align = LEAST;
    size_t at = (memory->used + align - 1) & ~(align - 1);
    if (at > memory->size || memory->size - at < size) {
        memory->full = true;
        return aligned_alloc(align, (size + align - 1) & ~(align - 1));  // LLVM aborts without any
    }
    // LLVM fills less than it asks for, and there may be a gap before: the same code is to be the same bytes, whatever was here.
    memset(memory->start + memory->used, 0, at + size - memory->used);
    memory->used = at + size;
    return memory->start + at;
}

static void *begin_object(void *context) {
    return context;
}

static void nothing(void *context) {
    (void)context;
}

static uint8_t *allocate_code(void *context, uintptr_t size, unsigned align, unsigned id, const char *name) {
    (void)id, (void)name;
    return allocate(context, size, align);
}

static uint8_t *allocate_data(void *context, uintptr_t size, unsigned align, unsigned id, const char *name, LLVMBool read_only) {
    (void)id, (void)name, (void)read_only;
    return allocate(context, size, align);
}

static LLVMBool finish_object(void *context, char **message) {
    (void)context, (void)message;
    return 0;
}

static LLVMOrcObjectLayerRef make_layer(void *context, LLVMOrcExecutionSessionRef session, const char *triple) {
    (void)triple;
    return LLVMOrcCreateRTDyldObjectLinkingLayerWithMCJITMemoryManagerLikeCallbacks(
        session, context, begin_object, nothing, allocate_code, allocate_data, finish_object, nothing);
}

// ---- starting

static LLVMTargetMachineRef make_machine(void) {
    LLVMTargetRef target;
    char *message, *triple = LLVMGetDefaultTargetTriple(), *name = LLVMGetHostCPUName(), *features = LLVMGetHostCPUFeatures();
    LLVMTargetMachineRef machine = NULL;
    if (LLVMGetTargetFromTriple(triple, &target, &message)) LLVMDisposeMessage(message);
    else
        machine =
            LLVMCreateTargetMachine(target, triple, name, features, LLVMCodeGenLevelDefault, LLVMRelocPIC, LLVMCodeModelSmall);
    LLVMDisposeMessage(triple);
    LLVMDisposeMessage(name);
    LLVMDisposeMessage(features);
    return machine;
}

static bool is_fine(LLVMErrorRef error) {
    if (!error) return true;
    LLVMConsumeError(error);
    return false;
}

static void ignore(void *context, LLVMErrorRef error) {
    (void)context;
    LLVMConsumeError(error);  // the caller gets one as well
}

struct jit *jit_new(struct jit_memory *memory, const char **why) {
    LLVMInitializeNativeTarget();
    LLVMInitializeNativeAsmPrinter();
    // Mask registers are of no use to guests' integers, and looking for such use takes longer than all of LLVM's optimisations do. Of ends of blocks
    // that are alike, each has a jump of its own for the host to predict. The guest's compiler has reduced the strength of its loops already, and put its
    // instructions in order; to do so again, or to take constants out of loops, makes values live for longer than there are registers for.
    static const char *const options[] = {"ferry-compiler",        "-disable-x86-domain-reassignment",
                                          "-enable-tail-merge=0",  "-disable-lsr",
                                          "-enable-misched=false", "-disable-machine-licm",
                                          "-x86-asm-syntax=intel"};
    LLVMParseCommandLineOptions(sizeof options / sizeof *options, options, NULL);
    LLVMTargetMachineRef machine = make_machine(), used = make_machine();
    *why = "LLVM has no code generator for this machine";
    if (!machine || !used) return NULL;
    LLVMOrcLLJITBuilderRef builder = LLVMOrcCreateLLJITBuilder();
    LLVMOrcLLJITBuilderSetJITTargetMachineBuilder(builder, LLVMOrcJITTargetMachineBuilderCreateFromTargetMachine(used));
    LLVMOrcLLJITBuilderSetObjectLinkingLayerCreator(builder, make_layer, memory);
    LLVMOrcLLJITRef lljit;
    *why = "ORC did not start";
    if (!is_fine(LLVMOrcCreateLLJIT(&lljit, builder))) return NULL;
    *why = "out of memory";
    struct jit *jit = calloc(1, sizeof *jit);
    if (!jit) return NULL;
    LLVMOrcExecutionSessionRef session = LLVMOrcLLJITGetExecutionSession(lljit);
    LLVMOrcExecutionSessionSetErrorReporter(session, ignore, NULL);
    *jit = (struct jit){
        .memory = memory, .lljit = lljit, .code = LLVMOrcExecutionSessionCreateBareJITDylib(session, "code"), .machine = machine};
    return jit;
}

void jit_free(struct jit *jit) {
    is_fine(LLVMOrcDisposeLLJIT(jit->lljit));
    LLVMDisposeTargetMachine(jit->machine);
    free(jit);
}

// ---- compiling

static LLVMContextRef new_context(struct jit *jit) {
#if LLVM_VERSION_MAJOR < 21
    jit->context = LLVMOrcCreateNewThreadSafeContext();
    return LLVMOrcThreadSafeContextGetContext(jit->context);
#else
    LLVMContextRef context = LLVMContextCreate();
    jit->context = LLVMOrcCreateNewThreadSafeContextFromLLVMContext(context);
    return context;
#endif
}

LLVMModuleRef jit_module(struct jit *jit) {
    jit->module = LLVMModuleCreateWithNameInContext("regions", new_context(jit));
    LLVMSetDataLayout(jit->module, LLVMOrcLLJITGetDataLayoutStr(jit->lljit));
    LLVMSetTarget(jit->module, LLVMOrcLLJITGetTripleString(jit->lljit));
    return jit->module;
}

void jit_drop(struct jit *jit) {
    LLVMDisposeModule(jit->module);
    LLVMOrcDisposeThreadSafeContext(jit->context);
}

bool jit_optimise(struct jit *jit) {
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    bool fine = is_fine(LLVMRunPasses(jit->module, passes, jit->machine, options));
    LLVMDisposePassBuilderOptions(options);
    return fine;
}

char *jit_assembly(struct jit *jit) {
    LLVMMemoryBufferRef buffer;
    char *message = NULL;
    LLVMSetTargetMachineAsmVerbosity(jit->machine, 1);
    bool failed = LLVMTargetMachineEmitToMemoryBuffer(jit->machine, jit->module, LLVMAssemblyFile, &message, &buffer);
    LLVMDisposeMessage(message);
    if (failed) return NULL;
    char *text = strndup(LLVMGetBufferStart(buffer), LLVMGetBufferSize(buffer));
    LLVMDisposeMemoryBuffer(buffer);
    return text;
}

struct jit_unit *jit_compile(struct jit *jit) {
    struct jit_unit *unit = calloc(1, sizeof *unit);
    bool fine = unit && jit_optimise(jit);
    LLVMOrcThreadSafeModuleRef module = LLVMOrcCreateNewThreadSafeModule(jit->module, jit->context);
    LLVMOrcDisposeThreadSafeContext(jit->context);
    if (!fine) {
        LLVMOrcDisposeThreadSafeModule(module);
        free(unit);
        return NULL;
    }
    unit->jit = jit;
    unit->tracker = LLVMOrcJITDylibCreateResourceTracker(jit->code);
    if (is_fine(LLVMOrcLLJITAddLLVMIRModuleWithRT(jit->lljit, unit->tracker, module))) return unit;
    LLVMOrcDisposeThreadSafeModule(module);
    jit_unit_free(unit);
    return NULL;
}

// ORC compiles and links here, on this thread.
static void take_address(LLVMErrorRef error, LLVMOrcCSymbolMapPairs symbols, size_t count, void *context) {
    if (is_fine(error) && count) *(uint64_t *)context = symbols[0].Sym.Address;
}

uint64_t jit_address(struct jit_unit *unit, const char *name) {
    struct jit *jit = unit->jit;
    uint64_t address = 0;
    LLVMOrcExecutionSessionRef session = LLVMOrcLLJITGetExecutionSession(jit->lljit);
    LLVMOrcCJITDylibSearchOrderElement in = {jit->code, LLVMOrcJITDylibLookupFlagsMatchExportedSymbolsOnly};
    LLVMOrcCLookupSetElement symbol = {LLVMOrcExecutionSessionIntern(session, name), LLVMOrcSymbolLookupFlagsRequiredSymbol};
    LLVMOrcExecutionSessionLookup(session, LLVMOrcLookupKindStatic, &in, 1, &symbol, 1, take_address, &address);
    return jit->memory->full ? 0 : address;
}

void jit_unit_free(struct jit_unit *unit) {
    is_fine(LLVMOrcResourceTrackerRemove(unit->tracker));
    LLVMOrcReleaseResourceTracker(unit->tracker);
    free(unit);
}
