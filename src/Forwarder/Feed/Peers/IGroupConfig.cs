using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Group;

namespace KeyEvt.Forwarder.Feed.Peers;

/// <summary>Which configuration does this program have as a member of a group, and who takes in what the group says about it?</summary>
/// <remarks>The properties may be read by any thread. The methods are called on read loops under the lock of a feed, and must not wait.</remarks>
internal interface IGroupConfig
{
    /// <summary>Whether it has been looked up what is kept in Redis. Until then this program delivers nothing.</summary>
    bool IsLoaded { get; }

    /// <summary>Whether one was kept there that is not made of the options of this program. Then these are not in force.</summary>
    bool IsFound { get; }

    /// <summary>The version of the configuration that is in force in this program; 0: there was none yet.</summary>
    long Version { get; }

    /// <summary>The classes of events that it wants. Events of other classes have no position.</summary>
    EventClass Classes { get; }

    /// <summary>The same of the version before.</summary>
    EventClass FormerClasses { get; }

    /// <summary>Nobody has told the state of the group. If there is no configuration yet, it is made of the options of this program.</summary>
    void Begin();

    /// <summary>A message has told a version that is in force in the stream from here on, and that this program does not have. It takes it at once.</summary>
    void Take(GroupMessage.Config config);

    /// <summary>Events of these classes will be wanted.</summary>
    void Prepare(EventClass classes);

    /// <summary>Another member asks, and this one is the holder.</summary>
    void Asked(GroupMessage.Ask ask);

    /// <summary>The holder has answered a member.</summary>
    void Answered(GroupMessage.Answer answer);

    /// <summary>The state of the group has become known, or has begun anew. Other versions may be in force.</summary>
    void Joined();
}
