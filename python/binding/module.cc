#include "bindings.h"

NB_MODULE(_engine, module) {
    module.doc() = "The mail decoder, and the engine that feeds it from captured packets.";
    mailtap::binding::BindDecoder(module);
    mailtap::binding::BindEngine(module);
    mailtap::binding::BindTls(module);
}
