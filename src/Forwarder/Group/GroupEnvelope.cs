using System.Globalization;
using System.Text;

namespace KeyEvt.Forwarder.Group;

/// <summary>
/// For whom is a message on the channel? It names the group and the node's stream behind its version:
/// <c>1 &lt;group&gt; &lt;run id&gt; mark ...</c>, and may be sealed (<see cref="MessageSeal"/>). What is meant for others is not read.
/// </summary>
/// <remarks>
/// The run id is there because a replica repeats the messages of its master: they say nothing about the replica's own stream. Thread safe.
/// </remarks>
/// <param name="group">The name of the group: letters, digits, dot, dash, underscore.</param>
/// <param name="seal">Closes and opens the messages.</param>
internal sealed class GroupEnvelope(string group, MessageSeal seal)
{
    /// <summary>No member says more.</summary>
    private const int LargestBytes = 256 * 1024;

    private const int RunDigits = 16;

    private readonly byte[] _begin = Encoding.UTF8.GetBytes($"{GroupMessageText.Version} {group} ");
    private readonly byte[] _name = Encoding.UTF8.GetBytes($" {group} ");

    public string Group => group;

    /// <param name="runId">The first 16 hexadecimal digits of the node's run id, as a number.</param>
    public string Write(GroupMessage message, ulong runId)
    {
        var text = GroupMessageText.Write(message)[GroupMessageText.Version.Length..];
        return seal.Close(string.Create(CultureInfo.InvariantCulture, $"{GroupMessageText.Version} {group} {runId:x16}{text}"), runId);
    }

    /// <summary>Whether a message is of this group, but of a version that this program does not read.</summary>
    public bool IsOtherVersion(ReadOnlySpan<byte> payload)
    {
        var space = payload.IndexOf((byte)' ');
        return space is > 0 and < 8 && !payload[..space].ContainsAnyExceptInRange((byte)'0', (byte)'9') && payload[space..].StartsWith(_name) && !payload.StartsWith(_begin);
    }

    /// <summary>Whether a message names this group and this stream, in the version that this program reads.</summary>
    public bool IsOurs(ReadOnlySpan<byte> payload, ulong runId) => RunOf(payload) == runId;

    /// <summary>In which node's stream the group has said this; null: another group did, or in a version that this program does not read.</summary>
    public ulong? RunOf(ReadOnlySpan<byte> payload)
    {
        if (!payload.StartsWith(_begin)) return null;

        var rest = payload[_begin.Length..];
        return rest.Length > RunDigits && rest[RunDigits] == ' ' && ulong.TryParse(rest[..RunDigits], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var run) ? run : null;
    }

    /// <returns>Null if the message is meant for others, is not sealed rightly, or says nothing that this program knows.</returns>
    public GroupMessage? Read(ReadOnlySpan<byte> payload, ulong runId)
    {
        return IsOurs(payload, runId) && payload.Length <= LargestBytes && seal.TryOpen(Encoding.UTF8.GetString(payload), runId) is { } text
            ? GroupMessageText.Read($"{GroupMessageText.Version}{text.AsSpan(_begin.Length + RunDigits)}")
            : null;
    }
}
