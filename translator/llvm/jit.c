// LLVM's passes and ORC: see jit.h. The only file that depends on LLVM's version.
#include "translator/llvm/jit.h"
#include <llvm-c/LLJIT.h>
#include <llvm-c/Orc.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <stdlib.h>

static const char passes_quick[] = "function(sroa,early-cse,instcombine<no-verify-fixpoint>,simplifycfg)";
static const char passes_optimised[] =
    "function(sroa,early-cse,instcombine<no-verify-fixpoint>,simplifycfg,gvn,loop-simplify,lcssa,loop-mssa(licm),instcombine<no-verify-fixpoint>,simplifycfg)";

struct jit {
    LLVMOrcLLJITRef lljit;
    LLVMTargetMachineRef machine;
    LLVMOrcThreadSafeContextRef context;
    LLVMModuleRef module;
};

struct jit_unit {
    struct jit *jit;
    LLVMOrcResourceTrackerRef tracker;
};

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

struct jit *jit_new(const char **why) {
    LLVMInitializeNativeTarget();
    LLVMInitializeNativeAsmPrinter();
    LLVMTargetMachineRef machine = make_machine(), used = make_machine();
    *why = "LLVM has no code generator for this machine";
    if (!machine || !used) return NULL;
    LLVMOrcLLJITBuilderRef builder = LLVMOrcCreateLLJITBuilder();
    LLVMOrcLLJITBuilderSetJITTargetMachineBuilder(builder, LLVMOrcJITTargetMachineBuilderCreateFromTargetMachine(used));
    LLVMOrcLLJITRef lljit;
    *why = "ORC did not start";
    if (!is_fine(LLVMOrcCreateLLJIT(&lljit, builder))) return NULL;
    *why = "out of memory";
    struct jit *jit = calloc(1, sizeof *jit);
    if (jit) *jit = (struct jit){.lljit = lljit, .machine = machine};
    return jit;
}

void jit_free(struct jit *jit) {
    is_fine(LLVMOrcDisposeLLJIT(jit->lljit));
    LLVMDisposeTargetMachine(jit->machine);
    free(jit);
}

LLVMModuleRef jit_module(struct jit *jit) {
    jit->context = LLVMOrcCreateNewThreadSafeContext();
    jit->module = LLVMModuleCreateWithNameInContext("regions", LLVMOrcThreadSafeContextGetContext(jit->context));
    return jit->module;
}

static bool optimise_module(struct jit *jit, const char *passes) {
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    bool fine = is_fine(LLVMRunPasses(jit->module, passes, jit->machine, options));
    LLVMDisposePassBuilderOptions(options);
    return fine;
}

struct jit_unit *jit_compile(struct jit *jit, bool optimise) {
    struct jit_unit *unit = calloc(1, sizeof *unit);
    bool fine = unit && optimise_module(jit, optimise ? passes_optimised : passes_quick);
    LLVMOrcThreadSafeModuleRef module = LLVMOrcCreateNewThreadSafeModule(jit->module, jit->context);
    LLVMOrcDisposeThreadSafeContext(jit->context);
    if (!fine) {
        LLVMOrcDisposeThreadSafeModule(module);
        free(unit);
        return NULL;
    }
    LLVMOrcJITDylibRef library = LLVMOrcLLJITGetMainJITDylib(jit->lljit);
    unit->jit = jit;
    unit->tracker = LLVMOrcJITDylibCreateResourceTracker(library);
    if (is_fine(LLVMOrcLLJITAddLLVMIRModuleWithRT(jit->lljit, unit->tracker, module))) return unit;
    LLVMOrcDisposeThreadSafeModule(module);
    jit_unit_free(unit);
    return NULL;
}

uint64_t jit_address(struct jit_unit *unit, const char *name) {
    LLVMOrcExecutorAddress address = 0;
    return is_fine(LLVMOrcLLJITLookup(unit->jit->lljit, &address, name)) ? address : 0;
}

void jit_unit_free(struct jit_unit *unit) {
    is_fine(LLVMOrcResourceTrackerRemove(unit->tracker));
    LLVMOrcReleaseResourceTracker(unit->tracker);
    free(unit);
}
