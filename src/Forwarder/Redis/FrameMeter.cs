using System.Buffers.Text;

namespace KeyEvt.Forwarder.Redis;

/// <summary>How long is the frame at the start of these bytes?</summary>
/// <remarks>
/// Deliberately not resumable. Bulk bodies are skipped, so measuring a frame again costs only a few steps for each element, and the feed's frames
/// have four.
/// <code>
/// frame = line | bulk | aggregate of frames         (RESP2 and RESP3, redis.io/docs/latest/develop/reference/protocol-spec)
/// </code>
/// </remarks>
internal static class FrameMeter
{
    /// <summary>A longer line is refused; error texts and numbers are far shorter.</summary>
    private const int MaxLine = 64 * 1024;

    private const int MaxDigits = 19;

    /// <summary>
    /// The length of the frame, or a lower bound of it. If the result is more than the length of <paramref name="bytes"/>, the frame is not complete.
    /// Then <paramref name="isWhole"/> says whether the result is the full length, or only how many bytes are needed to measure further.
    /// </summary>
    /// <exception cref="RedisFaultException">These bytes are not RESP.</exception>
    public static long Measure(ReadOnlySpan<byte> bytes, out bool isWhole)
    {
        isWhole = false;
        long at = 0;
        for (long due = 1; due > 0; due--)
        {
            if (at >= bytes.Length) return at + 1;

            var rest = bytes[(int)at..];
            var line = rest.IndexOf((byte)'\n');
            if (line < 0) return rest.Length > MaxLine || PlainFault.IsTls(rest[0]) ? throw NotResp(rest[0]) : bytes.Length + 1L;

            if (line < 2 || rest[line - 1] != '\r') throw NotResp(rest[0]);

            at += line + 1;
            switch (rest[0])
            {
                case (byte)'+' or (byte)'-' or (byte)':' or (byte)'_' or (byte)'#' or (byte)',' or (byte)'(':
                    break;
                case (byte)'$' or (byte)'!' or (byte)'=':
                    var length = Number(rest[1..(line - 1)]);
                    at += length < 0 ? 0 : length + 2;
                    if (at > bytes.Length)
                    {
                        isWhole = due == 1;
                        return at;
                    }

                    break;
                case (byte)'*' or (byte)'~' or (byte)'>':
                    due += Math.Max(0, Number(rest[1..(line - 1)]));
                    break;
                case (byte)'%':
                    due += 2 * Number(rest[1..(line - 1)]);
                    break;
                case (byte)'|':
                    // an attribute stands in front of the frame to which it belongs
                    due += (2 * Number(rest[1..(line - 1)])) + 1;
                    break;
                default:
                    throw NotResp(rest[0]);
            }
        }

        isWhole = true;
        return at;
    }

    private static long Number(ReadOnlySpan<byte> digits)
    {
        if (digits.Length is 0 or > MaxDigits || !Utf8Parser.TryParse(digits, out long number, out var used) || used != digits.Length
            || number < -1 || number > int.MaxValue)
        {
            throw new RedisFaultException(RedisFaultKind.Protocol, "the node sent a length that is none; is this port Redis?");
        }

        return number;
    }

    private static RedisFaultException NotResp(byte first) =>
        new(RedisFaultKind.Protocol, PlainFault.IsTls(first) ? $"the node speaks TLS: {PlainFault.Question}" : $"the node sent what is not RESP (first byte 0x{first:x2}); is this port Redis?");
}
