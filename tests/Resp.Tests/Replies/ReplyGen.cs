// How are random replies made?
using CsCheck;

namespace KeyEvt.Resp.Tests.Replies;

internal static class ReplyGen
{
    private static readonly Gen<string> Line = Gen.String[Gen.Char[' ', 'ÿ'], 0, 10];

    private static readonly Gen<string> Body = Gen.OneOf(
        Gen.String[Gen.OneOf('\r', '\n', '$', '1', '*', '\0', 'x'), 0, 12], Gen.String[Gen.Char['a', 'c'], 95, 110]);

    private static readonly Gen<Reply> Leaf = Gen.OneOf(
        Gen.Select(Gen.OneOf('+', '-'), Line, Plain),
        Gen.Select(Gen.OneOf('$', '!'), Body, Plain),
        Body.Select(text => Plain('=', "txt:" + text)),
        Gen.Long.Select(value => Plain(':', value.ToString(System.Globalization.CultureInfo.InvariantCulture))),
        Gen.OneOf(",1.5", ",-inf", ",nan", ",10", "#t", "#f", "_", "n", "N", "(3492890328409238509324850943850943825024385").Select(t => Plain(t[0], t[1..])));

    /// <summary>A reply or a push, nested up to four deep.</summary>
    public static readonly Gen<Reply> Frame = Element(4, isInside: false);

    private static Reply Plain(char type, string text) => new(type, text, [], []);

    private static Gen<Reply> Element(int depth, bool isInside)
    {
        if (depth == 0) return Leaf;
        var child = Element(depth - 1, isInside: true);
        var aggregate = Gen.Select(Gen.OneOf('*', '~', isInside ? '*' : '>'), child.Array[0, 4], (type, elements) => new Reply(type, "", elements, []));
        var map = child.Array[0, 2].Select(half => new Reply('%', "", [.. half, .. half], []));
        var attribute = child.Array[0, 2].Select(half => new Reply('|', "", [.. half, .. half], []));
        var push = child.Array[0, 3].Select(elements => new Reply('>', "", elements, []));
        var beside = Gen.Frequency((8, Gen.Const(Array.Empty<Reply>())), (1, attribute.Array[1, 2]), (1, isInside ? push.Array[1, 2] : attribute.Array[1]));
        var element = Gen.Frequency((3, Leaf), (2, aggregate), (1, map));
        return Gen.Select(element, beside, (e, b) => e with { Beside = b });
    }
}
