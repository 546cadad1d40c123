using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Redis;

namespace KeyEvt.Forwarder.Feed.Monitors;

/// <summary>Which letters of notify-keyspace-events does this node accept? Those of its version, until CONFIG SET shows otherwise.</summary>
/// <remarks>
/// Each connection has one, since a server may be upgraded between two connections, and a cluster may have several versions. A letter that the server
/// lacks makes it refuse the whole CONFIG SET. So what is wanted is first tried as it is, also with letters that the version does not promise.
/// Letters that were refused are left out from then on. Used under <see cref="FeedContext.Turn"/>, unless stated otherwise.
/// </remarks>
internal sealed class NodeLetters
{
    /// <summary>The handshake sets the first one. After that the four fields are written under <see cref="FeedContext.Turn"/>; any thread reads them.</summary>
    private volatile ServerEvents _server = ServerEvents.Newest;
    private volatile uint _shown;
    private volatile uint _on;
    private volatile uint _refused;

    /// <summary>What the server's version has. Any thread.</summary>
    public ServerEvents Server => _server;

    /// <summary>Which class each event name has there. Any thread.</summary>
    public EventClassTable Classes => _server.Classes;

    public void Identify(ServerEvents server) => _server = server;

    /// <summary>The wanted classes that CONFIG SET has not refused so far.</summary>
    public EventClass ToTry(EventClass wanted) => _server.Meant(wanted) & ~(EventClass)_refused;

    /// <summary>The wanted classes that the server has, as far as is known. Any thread.</summary>
    public EventClass Has(EventClass wanted) => ToTry(wanted) & (_server.Known | (EventClass)_shown);

    /// <summary>The wanted classes that the server lacks, as far as is known.</summary>
    public EventClass Lacks(EventClass wanted) => _server.Meant(wanted) & ~Has(wanted);

    /// <summary>The class of an event that the node has sent. If the name may belong to two classes, the one whose letter is on. Read loop.</summary>
    public EventClass ClassOf(ReadOnlySpan<byte> eventName)
    {
        var may = _server.Classes.Of(eventName);
        var on = may & (EventClass)_on;
        return on == EventClass.None ? may : on;
    }

    /// <summary>Notes that these classes are on, because they were set or read. So the server accepts them.</summary>
    public void Shown(EventClass classes)
    {
        _on = (uint)classes;
        _shown |= (uint)classes;
        if (classes.HasFlag(EventClass.Array) && !_server.Known.HasFlag(EventClass.Array))
        {
            _server = _server with { Known = _server.Known | EventClass.Array, Classes = EventClassTable.RedisWithArrays };
        }
    }

    /// <summary>Called when CONFIG SET with these classes was refused. If a letter is the reason, it is left out from now on.</summary>
    /// <returns>False if no letter is the reason, or no letter is left that could be it.</returns>
    public bool TryNarrow(EventClass asked, RedisAnswer error)
    {
        if (error.IsNoPermission || error.Text.StartsWith("ERR unknown", StringComparison.OrdinalIgnoreCase)) return false;

        // Redis 7 and Valkey name the letters that they accept: "Invalid event class character. Use 'Ag$lshzxeKEtmdn'." Older ones: "Invalid argument".
        var isForLetter = error.Text.Contains("nvalid", StringComparison.Ordinal);
        foreach (var taken in (EventClass[])[Named(error.Text), _server.Known, isForLetter ? ServerEvents.Oldest : EventClass.None])
        {
            if (taken == EventClass.None || (asked & ~taken) == EventClass.None) continue;

            _refused |= (uint)(asked & ~taken);
            _shown &= (uint)taken;
            return true;
        }

        return false;
    }

    /// <returns>The classes of the letters that the text names; None if it names none.</returns>
    private static EventClass Named(string text)
    {
        const string Before = "Use '";
        var start = text.IndexOf(Before, StringComparison.Ordinal) + Before.Length;
        var end = start < Before.Length ? -1 : text.IndexOf('\'', start);
        return end < 0 ? EventClass.None : NotifyFlags.ClassesOf(text[start..end], EventClass.None);
    }
}
