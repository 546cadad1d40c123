using System.Globalization;
using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Group;

/// <summary>
/// How does a message of the group look in the channel? As words with spaces between them, which a person can read who subscribes to it:
/// <c>1 mark &lt;member&gt; &lt;number&gt; reach=... broker=up claim=... settled=...</c>
/// </summary>
/// <remarks>
/// The first word is the version; a message of another version is not read. Words that are not known are left out, and a kind that is not known counts as a
/// message, so that a later program can say more in the same version. A place is written as <c>marker-count</c>, the id of a message as <c>member/number</c>.
/// </remarks>
internal static class GroupMessageText
{
    public const string Version = "1";

    /// <summary>Messages with a larger number are not read. A clock gives none before the year 2109.</summary>
    public const long LargestNumber = 1L << 62;

    /// <summary>The numbers of a stream go on behind those of the messages, so its places may have larger ones.</summary>
    public const long LargestMarker = LargestNumber + (1L << 61);

    /// <summary>Longer names of members are not read: no member has one.</summary>
    public const int LongestName = 96;

    /// <summary>More questions or marks than this are not read: no member says more.</summary>
    private const int MostInList = 64;

    public static string Write(GroupMessage message)
    {
        string[] words = message switch
        {
            GroupMessage.Mark mark => ["mark", .. Place("reach", mark.Reach), $"broker={(mark.IsBrokerThere ? "up" : "down")}", .. Classes(mark.Classes), .. HolderOf(mark)],
            GroupMessage.Who => ["who"],
            GroupMessage.StateOf answer => ["state", $"asked={Text(answer.Asked)}", .. WordsOf(answer.State)],
            GroupMessage.Claim claim => ["claim", $"follows={Text(claim.Follows)}", .. Place("reach", claim.Reach)],
            GroupMessage.FreshClaim claim => ["fresh", Number("asked", claim.AskedNumber), .. Place("settled", claim.Kept), Number("config", claim.ConfigVersion)],
            GroupMessage.Resign resign => ["resign", $"claim={Text(resign.Ended)}", .. Place("settled", resign.Watermark)],
            GroupMessage.Config config => ["config", Number("config", config.Version), .. Follows(config), .. config.Text.Length == 0 ? (string[])[] : [$"text={config.Text}"]],
            GroupMessage.Prepare prepare => ["prepare", .. Classes(prepare.Classes)],
            GroupMessage.Ask ask => ["ask", $"what={WordOf(ask.What)}"],
            GroupMessage.Answer answer => ["answer", $"asked={Text(answer.Asked)}", Number("code", answer.Code), $"reason={Uri.EscapeDataString(answer.Reason)}"],
            GroupMessage.Other => ["other"],
            _ => throw new ArgumentOutOfRangeException(nameof(message), message, "no kind of message that can be written"),
        };
        return string.Join(' ', [Version, words[0], message.Member, message.Number.ToString(CultureInfo.InvariantCulture), .. words[1..]]);
    }

    /// <returns>Null if the text is no message of this version.</returns>
    public static GroupMessage? Read(string text)
    {
        var words = text.Split(' ');
        if (words is not [Version, var kind, { Length: > 0 and <= LongestName } member, var third, ..] || !TryNumber(third, out var number))
        {
            return null;
        }

        var named = new Dictionary<string, string>();
        foreach (var word in words.AsSpan(4))
        {
            var at = word.IndexOf('=', StringComparison.Ordinal);
            if (at > 0) named.TryAdd(word[..at], word[(at + 1)..]);
        }

        return new Words(named).ToMessage(kind, member, number);
    }

    private static IEnumerable<string> HolderOf(GroupMessage.Mark mark) =>
        mark.Holder is { } holder ? [$"claim={Text(holder.Claim)}", .. Place("settled", holder.Watermark)] : [];

    private static IEnumerable<string> WordsOf(GroupSnapshot state) =>
    [
        Number("marker", state.Marker),
        $"claim={Text(state.Claim)}",
        .. state.Holder is null ? (string[])[] : [$"holder={state.Holder}"],
        .. Place("settled", state.Watermark),
        $"marks={string.Join(',', state.Marks.Select(mark => $"{mark.Member}@{Text(mark.Reach)}"))}",
        $"pending={string.Join(',', state.Pending.Select(Text))}",
        Number("config", state.ConfigVersion),
        .. state.Origin == default ? (string[])[] : [$"origin={Text(state.Origin)}"],
    ];

    private static IEnumerable<string> Classes(EventClass classes) => classes == EventClass.None ? [] : [$"classes={NotifyFlags.List(classes)}"];

    private static IEnumerable<string> Follows(GroupMessage.Config config) => config.Follows is { } follows ? [Number("follows", follows)] : [];

    private static string WordOf(GroupMessage.Wish what) => what == GroupMessage.Wish.Connect ? "connect" : "config";

    private static IEnumerable<string> Place(string name, StreamPlace? place) => place is { } there ? [$"{name}={Text(there)}"] : [];

    private static string Number(string name, long number) => string.Create(CultureInfo.InvariantCulture, $"{name}={number}");

    private static string Text(StreamPlace place) => string.Create(CultureInfo.InvariantCulture, $"{place.Marker}-{place.Count}");

    private static string Text(MessageId id) => string.Create(CultureInfo.InvariantCulture, $"{id.Member}/{id.Number}");

    private static bool TryNumber(string text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number <= LargestNumber;

    private static bool TryMarker(string text, out long marker) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out marker) && marker <= LargestMarker;

    private static StreamPlace? PlaceIn(string text) =>
        text.Split('-') is [var first, var second] && TryMarker(first, out var marker) && int.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? new StreamPlace(marker, count)
            : null;

    private static MessageId? IdIn(string text) =>
        text.Split('/') is [{ Length: > 0 and <= LongestName } member, var rest] && TryNumber(rest, out var number) ? new MessageId(member, number) : null;

    private static SeatMark? SeatIn(string text) =>
        text.Split('@') is [{ Length: > 0 and <= LongestName } member, var rest] && PlaceIn(rest) is { } reach ? new SeatMark(member, reach) : null;

    /// <summary>The words of one message that have names.</summary>
    private readonly record struct Words(Dictionary<string, string> Named)
    {
        public GroupMessage? ToMessage(string kind, string member, long number) => kind switch
        {
            "mark" => new GroupMessage.Mark(member, number, PlaceOf("reach"), Of("broker") == "up", Holder()) { Classes = Classes() },
            "who" => new GroupMessage.Who(member, number),
            "state" when IdOf("asked") is { } asked && State() is { } state => new GroupMessage.StateOf(member, number, asked, state),
            "claim" when IdOf("follows") is { } follows && PlaceOf("reach") is { } reach => new GroupMessage.Claim(member, number, follows, reach),
            "fresh" when NumberOf("asked") is { } asked && PlaceOf("settled") is { } kept && NumberOf("config") is { } version => new GroupMessage.FreshClaim(member, number, asked, kept, version),
            "resign" when IdOf("claim") is { } claim && PlaceOf("settled") is { } watermark => new GroupMessage.Resign(member, number, claim, watermark),
            "config" when NumberOf("config") is { } version => new GroupMessage.Config(member, number, version, NumberOf("follows"), Of("text") ?? ""),
            "prepare" => new GroupMessage.Prepare(member, number, Classes()),
            "ask" when Wish() is { } wish => new GroupMessage.Ask(member, number, wish),
            "answer" when IdOf("asked") is { } asked && NumberOf("code") is { } code and <= int.MaxValue =>
                new GroupMessage.Answer(member, number, asked, (int)code, Uri.UnescapeDataString(Of("reason") ?? "")),
            "mark" or "who" or "state" or "claim" or "fresh" or "resign" or "config" or "answer" => null, // a known kind that says too little
            _ => new GroupMessage.Other(member, number),
        };

        private EventClass Classes() => NotifyFlags.ClassesOf(Of("classes") ?? "", EventClass.All);

        private GroupMessage.Wish? Wish() => Of("what") switch
        {
            "connect" => GroupMessage.Wish.Connect,
            "config" => GroupMessage.Wish.Config,
            _ => null,
        };

        private GroupMessage.HolderMark? Holder() =>
            IdOf("claim") is { } claim && PlaceOf("settled") is { } watermark ? new GroupMessage.HolderMark(claim, watermark) : null;

        private GroupSnapshot? State() =>
            Of("marker") is { } there && TryMarker(there, out var marker) && IdOf("claim") is { } claim && PlaceOf("settled") is { } watermark && NumberOf("config") is { } version
            && ListOf("marks", SeatIn) is { } marks && ListOf("pending", IdIn) is { } pending
                ? new GroupSnapshot(marker, claim, Of("holder"), watermark, marks, pending, version, IdOf("origin") ?? default)
                : null;

        private string? Of(string name) => Named.GetValueOrDefault(name);

        private StreamPlace? PlaceOf(string name) => Of(name) is { } text ? PlaceIn(text) : null;

        private MessageId? IdOf(string name) => Of(name) is { } text ? IdIn(text) : null;

        private long? NumberOf(string name) => Of(name) is { } text && TryNumber(text, out var number) ? number : null;

        private List<T>? ListOf<T>(string name, Func<string, T?> read)
            where T : struct
        {
            if (Of(name) is not { } text) return null;

            var items = text.Length == 0 ? [] : text.Split(',');
            if (items.Length > MostInList) return null;

            var list = new List<T>(items.Length);
            foreach (var item in items)
            {
                if (read(item) is not { } one) return null;

                list.Add(one);
            }

            return list;
        }
    }
}
