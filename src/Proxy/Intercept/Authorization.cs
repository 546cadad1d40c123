using System.Text;
using KeyEvt.Proxy.Barrier;

namespace KeyEvt.Proxy.Intercept;

/// <summary>
/// Who may use key_evt_amqp commands? For commands that tell something: whoever may CONFIG GET the upstream. For commands that change something: whoever may
/// CONFIG SET it (<see cref="CommandTable"/> says which is which). Redis is asked on the client's own connection at each command, and the answer is never
/// remembered. If the upstream has no CONFIG command: the users of --admin-users. Every answer that is not clearly a yes is a no.
/// </summary>
internal sealed class Authorization(IReadOnlyCollection<string> adminUsers)
{
    private static readonly byte[] InMulti = "-ERR key_evt_amqp commands are not allowed inside MULTI\r\n"u8.ToArray();
    private static readonly byte[] MayNotRead = "-NOPERM this key_evt_amqp command is for users who may CONFIG GET the upstream Redis\r\n"u8.ToArray();
    private static readonly byte[] MayNotChange = "-NOPERM this key_evt_amqp command is for users who may CONFIG SET the upstream Redis\r\n"u8.ToArray();
    private static readonly byte[] NotAdmin = "-NOPERM key_evt_amqp commands are for the users named in --admin-users\r\n"u8.ToArray();

    private readonly HashSet<string> _adminUsers = [.. adminUsers];

    public static ReadOnlyMemory<byte> UserQuestion { get; } = "*2\r\n$3\r\nACL\r\n$6\r\nWHOAMI\r\n"u8.ToArray();

    /// <summary>Whether a second question may be needed, for the user's name.</summary>
    public bool MayAskUser => _adminUsers.Count > 0;

    /// <summary>Judges the answer to the question about the right.</summary>
    public Verdict JudgeRight(RightQuestion question, in ProbeAnswer answer) => answer.Kind switch
    {
        _ when question.IsYes(answer) => Verdict.Allowed,
        FrameKind.Queued => Verdict.Refused(InMulti), // the first mark, an unknown command, has already made EXEC abort
        FrameKind.Error when MayAskUser && SaysNoSuchCommand(answer.Bytes.Span) => Verdict.Ask,
        FrameKind.Error when !answer.Bytes.IsEmpty => Verdict.Refused(answer.Bytes), // in Redis' own words
        _ => Verdict.Refused(question.Right == CommandRight.Read ? MayNotRead : MayNotChange),
    };

    /// <summary>Judges the answer to <see cref="UserQuestion"/>: <c>$length CRLF name CRLF</c>.</summary>
    public Verdict JudgeUser(in ProbeAnswer answer)
    {
        if (answer.Kind == FrameKind.Error && !answer.Bytes.IsEmpty) return Verdict.Refused(answer.Bytes);
        if (answer.Kind != FrameKind.Bulk || answer.Bytes.IsEmpty) return Verdict.Refused(NotAdmin);
        var frame = answer.Bytes.Span;
        if (frame.StartsWith("$-"u8)) return Verdict.Refused(NotAdmin); // a null bulk string ($-1)
        var body = frame[(frame.IndexOf("\r\n"u8) + 2)..];
        return _adminUsers.Contains(Encoding.UTF8.GetString(body[..^2])) ? Verdict.Allowed : Verdict.Refused(NotAdmin);
    }

    /// <summary>
    /// Whether the error says that there is no CONFIG command or subcommand: <c>-ERR unknown command 'CONFIG', ...</c> or <c>-ERR unknown subcommand 'SET'. Try
    /// CONFIG HELP.</c>, whatever the quotes. An error about a missing right (NOPERM, NOAUTH) does not say so.
    /// </summary>
    private static bool SaysNoSuchCommand(ReadOnlySpan<byte> error)
    {
        Span<byte> lower = stackalloc byte[Math.Min(error.Length, 64)];
        Ascii.ToLower(error[..lower.Length], lower, out _);
        return (lower.StartsWith("-err unknown command"u8) || lower.StartsWith("-err unknown subcommand"u8)) && lower.IndexOf("config"u8) >= 0;
    }
}
