using KeyEvt.Forwarder.Group;
using Xunit;
using static KeyEvt.Forwarder.Group.GroupMessage;

namespace KeyEvt.Forwarder.Tests.Group;

/// <summary>The rules by which members agree on who delivers, one row each. Members are called a, b and c; numbers rise by ten.</summary>
public sealed class GroupStateTests
{
    private const string Unknown = "unknown";

    /// <summary>What is said, and what holds behind it: the holder, the number of its claim, the watermark. "-": nobody holds.</summary>
    private static readonly Dictionary<string, (GroupMessage[] Said, string Expected)> Rules = new()
    {
        ["Who begins to listen does not know the state"] = ([new Who("a", 10)], Unknown),
        ["Marks, claims and resignations tell nobody the state"] = ([Holding("a", 10, claim: 5, watermark: 9), new Claim("b", 20, Id("a", 5), At(0)), new Resign("a", 30, Id("a", 5), At(9))], Unknown),

        ["A question that nobody answers makes a fresh claim good"] = ([new Who("a", 10), Fresh("a", 20, asked: 10, kept: 7)], "a 20 7"),
        ["A fresh claim without its question is void"] = ([Fresh("a", 20, asked: 10)], Unknown),
        ["A fresh claim for the question of another member is void"] = ([new Who("b", 10), Fresh("a", 20, asked: 10)], Unknown),
        ["A fresh claim behind an answer to its question is void"] = ([new Who("a", 10), Answer("b", 20, Id("a", 10), Snapshot(claim: Id("c", 5))), Fresh("a", 30, asked: 10)], "c 5 0"),
        ["An answer to another question leaves a fresh claim good"] = ([new Who("b", 5), new Who("a", 10), Answer("c", 20, Id("b", 4), Snapshot(Id("c", 1))), Fresh("a", 30, asked: 10)], "a 30 0"),
        ["Of two fresh claims the first one is good"] = ([new Who("a", 10), new Who("b", 20), Fresh("b", 30, asked: 20), Fresh("a", 40, asked: 10)], "b 30 0"),
        ["A claim that is void itself ends the questions before it"] = ([new Who("a", 10), new Claim("b", 20, Id("c", 5), At(0)), Fresh("a", 30, asked: 10)], Unknown),
        ["A void fresh claim ends the questions before it"] = ([new Who("a", 10), Fresh("b", 20, asked: 5), Fresh("a", 30, asked: 10)], Unknown),
        ["A new question behind a void claim is as good as the first"] = ([new Who("a", 10), new Claim("b", 20, Id("c", 5), At(0)), new Who("a", 30), Fresh("a", 40, asked: 30)], "a 40 0"),
        ["A fresh claim makes those forget that knew more"] = ([.. Held("a"), Holding("a", 30, claim: 20, watermark: 25), new Who("b", 40), Fresh("b", 50, asked: 40, kept: 3)], "b 50 3"),
        ["A fresh claim makes marks before it count no more"] =
            ([.. Held("a"), Seat("c", 30, reach: 0), new Who("b", 40), Fresh("b", 50, asked: 40, kept: 3), new Claim("a", 60, Id("b", 50), At(9))], "a 60 3"),

        ["The answer to a question that was heard makes the state known"] = ([new Who("a", 10), Answer("b", 20, Id("a", 10), Snapshot(Id("c", 5), watermark: 4))], "c 5 4"),
        ["The answer to the question of another member does so too"] = ([new Who("b", 10), Answer("c", 20, Id("b", 10), Snapshot(Id("c", 5)))], "c 5 0"),
        ["The answer to a question that was not heard says nothing"] = ([new Who("a", 10), Answer("b", 20, Id("c", 9), Snapshot(Id("c", 5)))], Unknown),
        ["A claim with the id of the question is no question"] = ([new Claim("a", 10, Id("c", 5), At(0)), Answer("b", 20, Id("a", 10), Snapshot(Id("c", 5)))], Unknown),
        ["What was heard behind the question is applied to the answer"] =
            ([new Who("a", 10), Holding("c", 20, claim: 5, watermark: 15), new Claim("b", 30, Id("c", 5), At(0)), Answer("b", 40, Id("a", 10), Snapshot(Id("c", 5)))], "b 30 15"),
        ["What was heard before the question is not"] = ([new Claim("b", 5, Id("c", 1), At(0)), new Who("a", 10), Answer("b", 20, Id("a", 10), Snapshot(Id("c", 1)))], "c 1 0"),
        ["A state in which nobody holds is one too"] = ([new Who("a", 10), Answer("b", 20, Id("a", 10), Snapshot(Id("c", 5), holder: null))], "- 5 0"),
        ["Questions that wait at the place of an answer are told with it"] =
            ([new Who("a", 20), Answer("b", 30, Id("a", 20), Snapshot(Id("c", 5), pending: [Id("d", 10)])), Fresh("d", 40, asked: 10)], "d 40 0"),
        ["A fresh claim that an answer shows to be good is applied before what follows it"] =
            ([new Who("a", 20), Fresh("d", 25, asked: 10), new Claim("b", 28, Id("d", 25), At(0)), Answer("b", 30, Id("a", 20), Snapshot(Id("c", 5), pending: [Id("d", 10)]))], "b 28 0"),
        ["Who knows the state learns nothing from an answer"] = ([.. Held("a"), new Who("b", 30), Answer("c", 40, Id("b", 30), Snapshot(Id("c", 5)))], "a 20 0"),

        ["A claim that follows the one in force is good"] = ([.. Held("a"), new Claim("b", 30, Id("a", 20), At(0))], "b 30 0"),
        ["A claim that follows another one is void"] = ([.. Held("a"), new Claim("b", 30, Id("a", 19), At(0))], "a 20 0"),
        ["Of two claims that follow the same one the first is good"] = ([.. Held("a"), new Claim("b", 30, Id("a", 20), At(0)), new Claim("c", 40, Id("a", 20), At(0))], "b 30 0"),
        ["A claim may follow one whose holder has resigned"] = ([.. Held("a"), new Resign("a", 30, Id("a", 20), At(25)), new Claim("b", 40, Id("a", 20), At(0))], "b 40 25"),

        ["A claim that does not reach back is void while another member does"] = ([.. Held("a"), Seat("c", 30, reach: 0), new Claim("b", 40, Id("a", 20), At(5))], "a 20 0"),
        ["A claim that does not reach back is good if nobody does"] = ([.. Held("a"), Seat("c", 30, reach: 4), new Claim("b", 40, Id("a", 20), At(5))], "b 40 0"),
        ["The claimant's own mark is no other member"] = ([.. Held("a"), Seat("b", 30, reach: 0), new Claim("b", 40, Id("a", 20), At(5))], "b 40 0"),
        ["A ring from the watermark on reaches back"] = ([.. Held("a"), Holding("a", 30, claim: 20, watermark: 25), Seat("c", 40, reach: 0), new Claim("b", 50, Id("a", 20), At(25))], "b 50 25"),
        ["Twelve marks count"] = ([.. Held("a"), Seat("c", 30, reach: 0), .. Seats("b", 40, count: 11), new Claim("b", 200, Id("a", 20), At(5))], "a 20 0"),
        ["And not more"] = ([.. Held("a"), Seat("c", 30, reach: 0), .. Seats("b", 40, count: 12), new Claim("b", 200, Id("a", 20), At(5))], "b 200 0"),
        ["Marks without a seat do not push others out"] =
            ([.. Held("a"), Seat("c", 30, reach: 0), .. Enumerable.Range(4, 12).Select(n => new Mark("b", n * 10, null, true, null)), new Claim("b", 200, Id("a", 20), At(5))], "a 20 0"),

        ["The watermark of the holder counts"] = ([.. Held("a"), Holding("a", 30, claim: 20, watermark: 25)], "a 20 25"),
        ["The watermark does not go back"] = ([.. Held("a"), Holding("a", 30, claim: 20, watermark: 25), Holding("a", 40, claim: 20, watermark: 24)], "a 20 25"),
        ["A watermark by a claim that is not in force does not count"] = ([.. Held("a"), Holding("a", 30, claim: 19, watermark: 25)], "a 20 0"),
        ["A watermark of a member that has lost its claim does not count"] =
            ([.. Held("a"), new Claim("b", 30, Id("a", 20), At(0)), Holding("a", 40, claim: 20, watermark: 35)], "b 30 0"),
        ["A watermark said by another member does not count"] = ([.. Held("a"), Mark("b", 30, Id("a", 20), watermark: 25)], "a 20 0"),
        ["A watermark said behind a resignation does not count"] = ([.. Held("a"), new Resign("a", 30, Id("a", 20), At(25)), Holding("a", 40, claim: 20, watermark: 35)], "- 20 25"),

        ["A holder that resigns settles what it says"] = ([.. Held("a"), new Resign("a", 30, Id("a", 20), At(25))], "- 20 25"),
        ["A resignation does not bring the watermark back"] = ([.. Held("a"), Holding("a", 30, claim: 20, watermark: 25), new Resign("a", 40, Id("a", 20), At(3))], "- 20 25"),
        ["A resignation from a claim that is not in force is void"] = ([.. Held("a"), new Resign("a", 30, Id("a", 19), At(25))], "a 20 0"),
        ["A resignation said by another member is void"] = ([.. Held("a"), new Resign("b", 30, Id("a", 20), At(25))], "a 20 0"),
    };

    public static TheoryData<string> RuleNames => [.. Rules.Keys];

    [Theory]
    [MemberData(nameof(RuleNames))]
    public void Each_rule_holds(string rule)
    {
        var state = new GroupState();
        foreach (var message in Rules[rule].Said) state.Read(message);
        Assert.Equal(Rules[rule].Expected, state.Claim is { } claim ? $"{state.Holder ?? "-"} {claim.Number} {state.Watermark.Marker}" : Unknown);
    }

    [Fact]
    public void A_message_tells_which_claim_it_brings_into_force()
    {
        var state = new GroupState();
        Assert.Null(state.Read(new Who("a", 10)));
        Assert.Equal(Id("a", 20), state.Read(Fresh("a", 20, asked: 10)));
        Assert.Null(state.Read(Holding("a", 30, claim: 20, watermark: 5)));
        Assert.Equal(Id("b", 40), state.Read(new Claim("b", 40, Id("a", 20), At(0))));
        Assert.Null(state.Read(new Claim("c", 50, Id("a", 20), At(0))));
    }

    [Fact]
    public void An_answer_tells_the_last_claim_that_it_brings_into_force()
    {
        var state = new GroupState();
        foreach (var message in (GroupMessage[])[new Who("a", 10), new Claim("a", 20, Id("c", 5), At(0)), new Claim("b", 30, Id("a", 20), At(0)), Seat("b", 40, reach: 0)])
        {
            state.Read(message);
        }

        Assert.Equal(Id("b", 30), state.Read(Answer("c", 50, Id("a", 10), Snapshot(Id("c", 5)))));
    }

    [Fact]
    public void Numbers_of_the_stream_rise_though_clocks_differ()
    {
        var state = new GroupState();
        state.Read(new Who("a", 10));
        state.Read(Fresh("a", 20, asked: 10, kept: 99));
        Assert.Equal(101, state.Marker); // above what was kept, though the clock of the member is behind it
        state.Read(Seat("b", 1000, reach: 0));
        Assert.Equal(1000, state.Marker);
        state.Read(Seat("a", 30, reach: 0));
        Assert.Equal(1001, state.Marker);
    }

    [Fact]
    public void Who_learns_the_state_has_the_numbers_of_those_that_knew_it()
    {
        var (knew, learns) = (new GroupState(), new GroupState());
        foreach (var message in Held("a")) knew.Read(message);
        GroupMessage[] said = [new Who("b", 15), Seat("c", 500, reach: 0), Holding("a", 400, claim: 20, watermark: 30)];
        GroupSnapshot? atQuestion = null;
        foreach (var message in said)
        {
            knew.Read(message);
            learns.Read(message);
            atQuestion ??= knew.Snapshot();
        }

        var answer = Answer("a", 450, Id("b", 15), atQuestion!);
        knew.Read(answer);
        learns.Read(answer);
        Assert.Equal((502, 502), (knew.Marker, learns.Marker));
        Assert.Equal((new StreamPlace(30, 0), 2), (learns.Watermark, learns.Snapshot().Marks.Count));
        Assert.Equal(knew.Snapshot() with { Marks = [], Pending = [] }, learns.Snapshot() with { Marks = [], Pending = [] });
    }

    [Fact]
    public void A_later_version_of_the_configuration_is_in_force_from_its_place_on()
    {
        var state = new GroupState();
        foreach (var message in Held("a")) state.Read(message);
        state.Read(new GroupMessage.Config("b", 30, 3));
        state.Read(new GroupMessage.Config("a", 40, 2));
        Assert.Equal(3, state.ConfigVersion);
        state.Read(new Who("c", 50));
        state.Read(new FreshClaim("c", 60, 50, At(0), 2));
        Assert.Equal(2, state.ConfigVersion); // what is kept in Redis is all that the others can know
    }

    [Theory]
    [InlineData(3, 4, true)]
    [InlineData(2, 4, false)]    // another version came before it
    [InlineData(3, 3, false)]    // it is said again
    public void A_version_that_names_the_one_it_follows_is_in_force_only_behind_that(long follows, long version, bool isInForce)
    {
        var state = new GroupState();
        foreach (var message in Held("a")) state.Read(message);
        state.Read(new GroupMessage.Config("b", 30, 3));
        state.Read(new GroupMessage.Config("a", 40, version, follows));
        Assert.Equal(isInForce ? version : 3, state.ConfigVersion);
    }

    [Fact]
    public void Places_are_in_the_order_of_the_stream()
    {
        StreamPlace[] places = [new(1, 2), new(1, 10), new(2, 0), new(2, 1)];
        Assert.Equal(places, places.Reverse().Order());
        Assert.True(places[0] < places[1] && places[2] > places[1] && places[1] <= places[1] && places[1] >= places[1] && !(places[1] < places[1]) && !(places[1] > places[1]));
        Assert.False(places[2] <= places[1] || places[1] >= places[2]);
    }

    /// <summary>The member holds by its fresh claim, number 20, and everything up to place 0 is settled.</summary>
    private static GroupMessage[] Held(string member) => [new Who(member, 10), Fresh(member, 20, asked: 10)];

    private static FreshClaim Fresh(string member, long number, long asked, long kept = 0) => new(member, number, asked, At(kept), ConfigVersion: 0);

    private static StateOf Answer(string member, long number, MessageId asked, GroupSnapshot state) => new(member, number, asked, state);

    private static GroupSnapshot Snapshot(MessageId claim, string? holder = "", long watermark = 0, MessageId[]? pending = null) =>
        new(claim.Number, claim, holder is "" ? claim.Member : holder, At(watermark), [], pending ?? [], 0, claim);

    private static GroupMessage Seat(string member, long number, long reach) => new Mark(member, number, At(reach), true, null);

    private static IEnumerable<GroupMessage> Seats(string member, long first, int count) => Enumerable.Range(0, count).Select(n => Seat(member, first + (n * 10), reach: 100));

    private static GroupMessage Holding(string member, long number, long claim, long watermark) => Mark(member, number, Id(member, claim), watermark);

    private static GroupMessage Mark(string member, long number, MessageId claim, long watermark) => new Mark(member, number, At(0), true, new HolderMark(claim, At(watermark)));

    private static MessageId Id(string member, long number) => new(member, number);

    private static StreamPlace At(long marker) => new(marker, 0);
}
