using System.Buffers;
using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Barrier.Echo;
using KeyEvt.Resp;

namespace KeyEvt.Proxy.Intercept;

/// <summary>
/// What is Redis asked on the client's own connection, to learn whether the client has a right, and which answer is a yes? The question changes nothing.
/// </summary>
/// <remarks>
/// <code>
/// Read     CONFIG GET notify-keyspace-events          the parameter and its value
/// Change   CONFIG SET key_evt_amqp.NONCE 1            an error that there is no such parameter, with this very name
/// </code>
/// Redis checks rights first. So only a client that may CONFIG SET learns that the parameter does not exist. The name is new and random each time, so nothing
/// but the answer to this question can contain it.
/// </remarks>
internal sealed class RightQuestion
{
    private static readonly RightQuestion Reading = new(CommandRight.Read);

    private readonly ArrayBufferWriter<byte> _request = new();

    /// <summary>For <see cref="CommandRight.Change"/>: the error lines that are a yes.</summary>
    private readonly byte[][] _noSuchParameter = [];

    private RightQuestion(CommandRight right)
    {
        Right = right;
        if (right == CommandRight.Read)
        {
            RespWriter.WriteCommand(_request, "CONFIG"u8, "GET"u8, "notify-keyspace-events"u8);
            return;
        }

        var name = EchoShape.NewName();
        RespWriter.WriteCommand(_request, "CONFIG"u8, "SET"u8, name, "1"u8);
        _noSuchParameter =
        [
            [.. "-ERR Unknown option or number of arguments for CONFIG SET - '"u8, .. name, .. "'\r\n"u8], // Redis 7 and later, Valkey
            [.. "-ERR Unsupported CONFIG parameter: "u8, .. name, .. "\r\n"u8], // Redis 6
        ];
    }

    public CommandRight Right { get; }

    /// <summary>The request that is sent.</summary>
    public ReadOnlyMemory<byte> Request => _request.WrittenMemory;

    /// <summary>The question for one command. Of <see cref="CommandRight.Change"/> each command gets a new one, since a name is used only once.</summary>
    public static RightQuestion For(CommandRight right) => right == CommandRight.Read ? Reading : new RightQuestion(right);

    /// <summary>Whether the answer proves the right.</summary>
    public bool IsYes(in ProbeAnswer answer)
    {
        if (Right == CommandRight.Read) return answer.Kind == FrameKind.ConfigValue;
        if (answer.Kind != FrameKind.Error) return false;
        foreach (var line in _noSuchParameter)
        {
            if (answer.Bytes.Span.SequenceEqual(line)) return true;
        }

        return false;
    }
}
