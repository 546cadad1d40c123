// Do the framer and the slow reference agree on any stream, valid or broken, in any pieces?
using CsCheck;
using Xunit;

namespace KeyEvt.Resp.Tests.Requests;

public sealed class RandomStreamTests
{
    private static readonly Gen<byte> AnyByte = Gen.OneOf(Gen.OneOf([.. "*$\r\n0129:/-+ \"'\\xab\0"u8]), Gen.Byte);

    private static readonly Gen<string> Name = Gen.OneOf(
        "SET", "get", "", "MODULE", "key_evt_amqp.info", "KEY_EVT_amqp.", "key_evt_amqp", "POST", "post\0x", "host:", "posts", "A_NAME_LONGER_THAN_SIXTEEN_BYTES", "key_evt_amqp.keymask_set");

    private static readonly Gen<string> Argument = Gen.OneOf(
        Gen.String[Gen.Char['\0', 'ÿ'], 0, 12], Gen.String[Gen.OneOf('\r', '\n', '$', '*', '1'), 0, 8], Gen.String[Gen.Char['a', 'z'], 95, 130]);

    private static readonly Gen<string> Multibulk =
        Gen.Select(Gen.Frequency((8, Gen.Const("SET")), (4, Name)), Argument.Array[0, 4], (name, rest) => Latin1.Request([name, .. rest]));

    private static readonly Gen<string> ManyArguments =
        Gen.Select(Name, Gen.Const("k").Array[7, 13], (name, rest) => Latin1.Request([name, .. rest]));

    private static readonly Gen<string> InlineLine = Gen.Select(
        Gen.OneOf(Name, Gen.Const("\"key_evt_amqp.info\""), Gen.Const("'key_evt_amqp.info'"), Gen.Const("\"\\x6bey_evt_amqp.info\""), Gen.Const(" "),
            Gen.Const("\"key_evt\"_amqp.info"), Gen.Const("k'ey_evt\\'\"_amqp.\"info"), Gen.Const("\"module\"\vx"), Gen.Const("\"\"'\"module\" x"), Gen.Const("\"a\"\v\"module\""),
            Gen.String[Gen.OneOf('"', '\'', '\\', 'x', '6', 'b', 'k', ' ', '\v', '\f', '\r', 'm', 'ÿ'), 1, 20]),
        Gen.String[Gen.OneOf(' ', 'a', 'x', '4', '1', '"', '\'', '\\', '\t', '\v', '\r', 'n'), 0, 14],
        Gen.OneOf("\r\n", "\n"),
        (name, rest, end) => name + " " + rest + end);

    private static readonly Gen<string> Empty = Gen.OneOf("*0\r\n", "*-1\r\n", "*-40\r\n", "\r\n", "\n", "  \r\n", "\"\"\r\n");

    private static readonly Gen<byte[]> Valid =
        Gen.Frequency((6, Multibulk), (1, ManyArguments), (2, InlineLine), (1, Empty)).Array[1, 6].Select(parts => Latin1.Bytes(string.Concat(parts)));

    private static readonly Gen<byte[]> Mutated = Gen.Select(Valid, Gen.Select(Gen.Int[0, 400], Gen.Int[0, 3], AnyByte).Array[1, 3], Mutate);

    private static readonly Gen<int[]> RandomCuts = Gen.OneOf(
        Gen.Const(Array.Empty<int>()), Gen.Int[0, 400].Array[1, 8], Gen.Const(Enumerable.Range(0, 600).ToArray()));

    [Fact]
    public void A_valid_stream_reads_as_in_the_reference() => Check(Valid, iterations: 3000);

    [Fact]
    public void A_broken_stream_reads_as_in_the_reference() => Check(Mutated, iterations: 6000);

    [Fact]
    public void Noise_reads_as_in_the_reference() => Check(AnyByte.Array[0, 40], iterations: 3000);

    private static void Check(Gen<byte[]> streams, int iterations) =>
        Gen.Select(streams, RandomCuts).Sample((stream, cuts) => Agreement.Check(stream, cuts, Agreement.SmallLimits), iter: iterations, print: t => Latin1.Text(t.Item1) + " | " + string.Join(',', t.Item2));

    private static byte[] Mutate(byte[] stream, (int At, int Kind, byte Value)[] mutations)
    {
        var bytes = stream.ToList();
        foreach (var (at, kind, value) in mutations)
        {
            if (bytes.Count == 0) break;
            var index = at % bytes.Count;
            if (kind == 0) bytes.Insert(index, value);
            else if (kind == 1) bytes.RemoveAt(index);
            else bytes[index] = value;
        }

        return [.. bytes];
    }
}
