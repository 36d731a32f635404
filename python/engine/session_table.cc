#include "session_table.h"

#include <cstring>

namespace mailtap::engine {

namespace {

// FNV-1a over whole words, with the bits spread in the end (the finaliser of MurmurHash3).
class Hash {
public:
    void Add(uint64_t word) { value_ = (value_ ^ word) * 0x100000001b3; }

    void Add(const Endpoint& endpoint) {
        uint64_t words[2];
        std::memcpy(words, endpoint.address.bytes.data(), sizeof(words));
        Add(words[0]);
        Add(words[1]);
        Add(endpoint.port);
    }

    std::size_t Value() const {
        uint64_t value = value_;
        value = (value ^ (value >> 33)) * 0xff51afd7ed558ccd;
        value = (value ^ (value >> 33)) * 0xc4ceb9fe1a85ec53;
        return static_cast<std::size_t>(value ^ (value >> 33));
    }

private:
    uint64_t value_ = 0xcbf29ce484222325;
};

} // namespace

std::size_t SessionTable::KeyHash::operator()(const Key& key) const {
    Hash hash;
    hash.Add(key.low);
    hash.Add(key.high);
    return hash.Value();
}

SessionTable::Key SessionTable::KeyOf(const Segment& segment) {
    const bool ordered = segment.source <= segment.destination;
    return ordered ? Key{segment.source, segment.destination} : Key{segment.destination, segment.source};
}

void SessionTable::Add(const Segment& segment, Time stamp) {
    const Key key = KeyOf(segment);
    const auto known = sessions_.find(key);
    Entries::iterator entry;
    if ( known == sessions_.end() )
        entry = Open(key, segment, stamp);
    else {
        entry = known->second;
        const Time quiet = stamp - entry->active;
        const bool expired = quiet > Timeout(*entry) && quiet <= kPlausibleQuiet;
        if ( expired || entry->session.IsSuccessor(segment) ) {
            End(ListOf(*entry), entry);
            entry = Open(key, segment, stamp);
        }
    }
    Entries& before = ListOf(*entry);
    entry->session.Add(segment, stamp);
    entry->active = stamp;
    Entries& after = ListOf(*entry);
    after.splice(after.end(), before, entry);
}

void SessionTable::Advance(Time stamp) {
    clock_.See(stamp);
    EndQuiet(closed_);
    EndQuiet(open_);
}

void SessionTable::Finish() {
    while ( ! closed_.empty() )
        End(closed_, closed_.begin());
    while ( ! open_.empty() )
        End(open_, open_.begin());
}

SessionTable::Entries::iterator SessionTable::Open(const Key& key, const Segment& segment, Time stamp) {
    if ( sessions_.size() == kMaxSessions ) {
        Entries& entries = closed_.empty() ? open_ : closed_;
        End(entries, entries.begin());
    }
    open_.emplace_back(key, segment, stamp, ports_, pending_);
    return sessions_.insert_or_assign(key, std::prev(open_.end())).first->second;
}

void SessionTable::End(Entries& entries, Entries::iterator entry) {
    entry->session.Finish();
    ended_(entry->session);
    sessions_.erase(entry->key);
    entries.erase(entry);
}

void SessionTable::EndQuiet(Entries& entries) {
    while ( ! entries.empty() && clock_.Now() - entries.front().active > Timeout(entries.front()) )
        End(entries, entries.begin());
    // One with its last stamp in the future must not be in the way of those behind it.
    if ( ! entries.empty() && entries.front().active > clock_.Now() + kInactivityTimeout )
        entries.splice(entries.end(), entries, entries.begin());
}

} // namespace mailtap::engine
