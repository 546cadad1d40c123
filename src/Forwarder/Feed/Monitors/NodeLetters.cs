using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Redis;

namespace KeyEvt.Forwarder.Feed.Monitors;

/// <summary>Which letters of notify-keyspace-events does this node take? As its version says, until CONFIG SET says otherwise.</summary>
/// <remarks>
/// One a connection: a server may be upgraded under us, and a cluster may have several kinds. A letter that the server lacks makes it refuse the whole CONFIG SET. So
/// what is wanted is tried once as it is, also letters that the version does not promise; what was refused is left out from then on. Used under
/// <see cref="FeedContext.Turn"/>, but for what is said otherwise.
/// </remarks>
internal sealed class NodeLetters
{
    private volatile ServerEvents _server = ServerEvents.Newest;
    private volatile uint _shown;
    private volatile uint _on;
    private volatile uint _refused;

    /// <summary>What its version says. Any thread.</summary>
    public ServerEvents Server => _server;

    /// <summary>Which class an event may have there. Any thread.</summary>
    public EventClassTable Classes => _server.Classes;

    public void Identify(ServerEvents server) => _server = server;

    /// <summary>What CONFIG SET has not refused so far, of what is wanted.</summary>
    public EventClass ToTry(EventClass wanted) => _server.Meant(wanted) & ~(EventClass)_refused;

    /// <summary>What it has of what is wanted, as far as is known. Any thread.</summary>
    public EventClass Has(EventClass wanted) => ToTry(wanted) & (_server.Known | (EventClass)_shown);

    /// <summary>What it lacks of what is wanted, as far as is known.</summary>
    public EventClass Lacks(EventClass wanted) => _server.Meant(wanted) & ~Has(wanted);

    /// <summary>Which class an event has that the node has sent: of the two that a name may stand for, one whose letter is on. Read loop.</summary>
    public EventClass ClassOf(ReadOnlySpan<byte> eventName)
    {
        var may = _server.Classes.Of(eventName);
        var on = may & (EventClass)_on;
        return on == EventClass.None ? may : on;
    }

    /// <summary>These are on: they were set, or read. So it takes them.</summary>
    public void Shown(EventClass classes)
    {
        _on = (uint)classes;
        _shown |= (uint)classes;
        if (classes.HasFlag(EventClass.Array) && !_server.Known.HasFlag(EventClass.Array))
        {
            _server = _server with { Known = _server.Known | EventClass.Array, Classes = EventClassTable.RedisWithArrays };
        }
    }

    /// <summary>CONFIG SET with these was refused. Is it for a letter? Then it is left out from now on.</summary>
    /// <returns>False: it is not, or no letter is left that could be it.</returns>
    public bool TryNarrow(EventClass asked, RedisAnswer error)
    {
        if (error.IsNoPermission || error.Text.StartsWith("ERR unknown", StringComparison.OrdinalIgnoreCase)) return false;

        // Redis 7 and Valkey name those that they take: "Invalid event class character. Use 'Ag$lshzxeKEtmdn'." Older ones: "Invalid argument".
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

    /// <returns>None: it names none.</returns>
    private static EventClass Named(string text)
    {
        const string Before = "Use '";
        var start = text.IndexOf(Before, StringComparison.Ordinal) + Before.Length;
        var end = start < Before.Length ? -1 : text.IndexOf('\'', start);
        return end < 0 ? EventClass.None : NotifyFlags.ClassesOf(text[start..end], EventClass.None);
    }
}
