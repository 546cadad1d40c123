using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Fallback.Lists;

namespace KeyEvt.Forwarder.Tests.Fallback;

/// <summary>The lists of a program that is alone, and so may use them all.</summary>
internal static class Lists
{
    /// <summary>The group of such a program in a cluster.</summary>
    public static (string Name, Func<string, bool> Holds, Func<string, bool> IsAnothers) Alone { get; } = ("one", static _ => true, static _ => false);

    /// <summary>One list, and perhaps a spool.</summary>
    public static OneListStores One(IEventStore list, NamedStore? spool = null, Func<string>? place = null) =>
        new("list", list, spool, place ?? (static () => ""), new ListFence(), (static () => true, static () => false));
}
