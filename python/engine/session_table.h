// The open sessions of a capture.

#pragma once

#include <functional>
#include <list>
#include <unordered_map>

#include "tcp_session.h"

namespace mailtap::engine {

// Zeek's tcp_close_delay: that long late packets still belong to a closed session.
constexpr Time kCloseDelay = 5 * kSecond;

// A session's packet that comes later than this is taken for one with a wrong stamp rather than for a new beginning.
constexpr Time kPlausibleQuiet = 24 * 3600 * kSecond;

// Open sessions at a time; beyond, the one that was quiet longest is ended.
constexpr std::size_t kMaxSessions = 1'000'000;

class SessionTable {
public:
    using Ended = std::function<void(TcpSession&)>;

    // `ended` is called once for each session, with nothing more to come. `ports` must outlive the table.
    SessionTable(const decoder::Ports& ports, Ended ended) : ports_(ports), ended_(std::move(ended)) {}

    void Add(const Segment& segment, Time stamp);

    // Time passes with every packet of the capture, whatever it carries.
    void Advance(Time stamp);

    // Ends every session.
    void Finish();

    std::size_t Size() const { return sessions_.size(); }

private:
    // Both ends in order: the same for either direction.
    struct Key {
        Endpoint low;
        Endpoint high;

        bool operator==(const Key&) const = default;
    };

    struct KeyHash {
        std::size_t operator()(const Key& key) const;
    };

    struct Entry {
        Entry(const Key& key, const Segment& first, Time stamp, const decoder::Ports& ports,
              stream::PendingTotal& total)
            : key(key), active(stamp), session(first, stamp, ports, total) {}

        Key key;
        Time active; // the last packet's stamp
        TcpSession session;
    };

    // The one that was quiet longest first.
    using Entries = std::list<Entry>;

    static Key KeyOf(const Segment& segment);
    Entries::iterator Open(const Key& key, const Segment& segment, Time stamp);
    static Time Timeout(const Entry& entry) { return entry.session.Closed() ? kCloseDelay : kInactivityTimeout; }
    Entries& ListOf(const Entry& entry) { return entry.session.Closed() ? closed_ : open_; }
    void End(Entries& entries, Entries::iterator entry);
    void EndQuiet(Entries& entries);

    const decoder::Ports& ports_;
    Ended ended_;
    stream::PendingTotal pending_;
    Clock clock_;
    Entries open_;
    Entries closed_;
    std::unordered_map<Key, Entries::iterator, KeyHash> sessions_;
};

} // namespace mailtap::engine
