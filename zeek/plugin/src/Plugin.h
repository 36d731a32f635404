// MailTap's part inside Zeek.

#pragma once

#include <zeek/plugin/Plugin.h>

#include "tap.h"

namespace mailtap::plugin {

class Plugin : public zeek::plugin::Plugin {
public:
    void HookSetupAnalyzerTree(zeek::Connection* connection) override;

protected:
    zeek::plugin::Configuration Configure() override;
    void InitPostScript() override;

private:
    Settings settings_;
};

} // namespace mailtap::plugin
