using System.Text;

namespace KeyEvt.Forwarder.Events;

/// <summary>To which class does an event belong, at one kind of server? A notification carries only its name.</summary>
/// <remarks>
/// The table follows the servers' sources (notifyKeyspaceEvent in Redis and Valkey) where they differ from the documentation page. The list is open:
/// modules and newer servers add names. A name that is not listed counts as a module's. To add an event, add its name. A name that a server uses for
/// two classes has both bits, so anybody who wants either class gets the event.
/// </remarks>
public sealed class EventClassTable
{
    private const int Slots = 512;

    private static readonly (EventClass Class, string[] Names)[] Common =
    [
        (EventClass.Generic, ["del", "rename_from", "rename_to", "move_from", "move_to", "copy_to", "restore", "expire", "persist"]),
        (EventClass.String, ["set", "setrange", "append", "incrby", "incrbyfloat", "setbit", "pfadd"]),
        (EventClass.List, ["lpush", "rpush", "lpop", "rpop", "linsert", "lset", "lrem", "ltrim", "sortstore"]),
        (EventClass.Set, ["sadd", "srem", "spop", "sinterstore", "sunionstore", "sdiffstore"]),
        (EventClass.Hash, ["hset", "hincrby", "hincrbyfloat", "hdel", "hexpire", "hpersist"]),
        (EventClass.SortedSet,
        [
            "zadd", "zincr", "zrem", "zremrangebyscore", "zremrangebyrank", "zremrangebylex", "zpopmin", "zpopmax",
            "zunionstore", "zinterstore", "zdiffstore", "zrangestore", "geosearchstore", "georadiusstore",
        ]),
        (EventClass.Stream,
        [
            "xadd", "xtrim", "xdel", "xsetid",
            "xgroup-create", "xgroup-createconsumer", "xgroup-delconsumer", "xgroup-destroy", "xgroup-setid",
        ]),
        (EventClass.Expired, ["expired"]),
        (EventClass.Evicted, ["evicted"]),
        (EventClass.KeyMiss, ["keymiss"]),
        (EventClass.New, ["new"]),
        (EventClass.Overwritten, ["overwritten"]),
        (EventClass.TypeChanged, ["type_changed"]),
    ];

    // Open addressing: a name is in its own slot or in the next free one. Read-only after construction.
    private readonly (byte[] Name, EventClass Class)[] _table;

    private EventClassTable(params (EventClass Class, string[] Names)[] own) => _table = BuildTable([.. Common, .. own]);

    /// <summary>Redis before 8.8.</summary>
    public static EventClassTable Redis { get; } = new((EventClass.Hash, ["hexpired"]));

    /// <summary>Redis 8.8 and later. Also used for an event whose sender is not known.</summary>
    public static EventClassTable RedisWithArrays { get; } = new(
        (EventClass.Hash, ["hexpired"]),
        (EventClass.Array, ["arset", "armset", "ardel", "ardelrange", "arinsert", "arring"]));

    /// <summary>
    /// Valkey. A hash field whose time to live is over has class "expired", as a key has. A field to which a command gives a time in the past has
    /// class "hash".
    /// </summary>
    public static EventClassTable Valkey { get; } = new((EventClass.Hash | EventClass.Expired, ["hexpired"]));

    public EventClass Of(ReadOnlySpan<byte> eventName)
    {
        var table = _table;
        for (var slot = SlotOf(eventName); ; slot = (slot + 1) % Slots)
        {
            ref readonly var entry = ref table[slot];
            if (entry.Name is null)
            {
                return EventClass.Module;
            }

            if (eventName.SequenceEqual(entry.Name))
            {
                return entry.Class;
            }
        }
    }

    private static int SlotOf(ReadOnlySpan<byte> name) =>
        name.IsEmpty ? 0 : (int)((((uint)name.Length * 0x9E3779B1) ^ (name[0] * 0x85EBCA6Bu) ^ (name[name.Length / 2] * 0xC2B2AE35u) ^ (name[^1] * 0x27D4EB2Fu)) >> 23);

    private static (byte[] Name, EventClass Class)[] BuildTable((EventClass Class, string[] Names)[] known)
    {
        var table = new (byte[] Name, EventClass Class)[Slots];
        foreach (var (eventClass, names) in known)
        {
            foreach (var name in names)
            {
                var bytes = Encoding.ASCII.GetBytes(name);
                var slot = SlotOf(bytes);
                while (table[slot].Name is not null)
                {
                    slot = (slot + 1) % Slots;
                }

                table[slot] = (bytes, eventClass);
            }
        }

        return table;
    }
}
