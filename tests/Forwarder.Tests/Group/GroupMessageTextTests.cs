using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Group;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Group;

/// <summary>How are messages of the group written, what is read, and from whom?</summary>
public sealed class GroupMessageTextTests
{
    private static readonly GroupSnapshot State = new(
        77, new MessageId("a-1", 20), "a-1", new StreamPlace(25, 3), [new SeatMark("a-1", new StreamPlace(9, 0)), new SeatMark("b_2.x", new StreamPlace(10, 7))], [new MessageId("c", 30), new MessageId("d", 31)], 4, new MessageId("a-1", 5));

    private static readonly (string Text, GroupMessage Message)[] Samples =
    [
        ("1 mark a-1 30 reach=10-2 broker=up claim=a-1/20 settled=25-3", new GroupMessage.Mark("a-1", 30, new StreamPlace(10, 2), true, new GroupMessage.HolderMark(new MessageId("a-1", 20), new StreamPlace(25, 3)))),
        ("1 mark a-1 30 reach=10-2 broker=down", new GroupMessage.Mark("a-1", 30, new StreamPlace(10, 2), false, null)),
        ("1 mark a-1 30 broker=up", new GroupMessage.Mark("a-1", 30, null, true, null)),
        ("1 who a-1 30", new GroupMessage.Who("a-1", 30)),
        ("1 claim a-1 30 follows=b/20 reach=10-2", new GroupMessage.Claim("a-1", 30, new MessageId("b", 20), new StreamPlace(10, 2))),
        ("1 fresh a-1 30 asked=20 settled=10-2 config=4", new GroupMessage.FreshClaim("a-1", 30, 20, new StreamPlace(10, 2), 4)),
        ("1 resign a-1 30 claim=a-1/20 settled=10-2", new GroupMessage.Resign("a-1", 30, new MessageId("a-1", 20), new StreamPlace(10, 2))),
        ("1 config a-1 30 config=4", new GroupMessage.Config("a-1", 30, 4)),
        ("1 config a-1 30 config=4 follows=3 text={\"version\":4,\"masks\":[\"a=\\u0020\"]}", new GroupMessage.Config("a-1", 30, 4, 3, "{\"version\":4,\"masks\":[\"a=\\u0020\"]}")),
        ("1 mark a-1 30 broker=up classes=xe", new GroupMessage.Mark("a-1", 30, null, true, null) { Classes = EventClass.Expired | EventClass.Evicted }),
        ("1 prepare a-1 30 classes=$h", new GroupMessage.Prepare("a-1", 30, EventClass.String | EventClass.Hash)),
        ("1 ask a-1 30 what=connect", new GroupMessage.Ask("a-1", 30, GroupMessage.Wish.Connect)),
        ("1 ask a-1 30 what=config", new GroupMessage.Ask("a-1", 30, GroupMessage.Wish.Config)),
        ("1 answer a-1 30 asked=b/29 code=4 reason=login%20refused%3A%20a%3Db", new GroupMessage.Answer("a-1", 30, new MessageId("b", 29), 4, "login refused: a=b")),
        ($"1 mark a {GroupMessageText.LargestNumber} reach={GroupMessageText.LargestNumber}-{int.MaxValue} broker=up", new GroupMessage.Mark("a", GroupMessageText.LargestNumber, new StreamPlace(GroupMessageText.LargestNumber, int.MaxValue), true, null)),
    ];

    public static TheoryData<int> SampleNumbers => [.. Enumerable.Range(0, Samples.Length)];

    [Theory]
    [MemberData(nameof(SampleNumbers))]
    public void A_message_is_written_in_words_and_read_again(int sample)
    {
        var (text, message) = Samples[sample];
        Assert.Equal(text, GroupMessageText.Write(message));
        Assert.Equal(message, GroupMessageText.Read(text));
        Assert.Equal(message, GroupMessageText.Read(text + " later=word word ="));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_state_is_written_in_words_and_read_again(bool isEmpty)
    {
        var state = isEmpty ? State with { Holder = null, Marks = [], Pending = [] } : State;
        var text = GroupMessageText.Write(new GroupMessage.StateOf("b", 40, new MessageId("c", 30), state));
        Assert.Equal(
            isEmpty
                ? "1 state b 40 asked=c/30 marker=77 claim=a-1/20 settled=25-3 marks= pending= config=4 origin=a-1/5"
                : "1 state b 40 asked=c/30 marker=77 claim=a-1/20 holder=a-1 settled=25-3 marks=a-1@9-0,b_2.x@10-7 pending=c/30,d/31 config=4 origin=a-1/5",
            text);
        var read = Assert.IsType<GroupMessage.StateOf>(GroupMessageText.Read(text));
        Assert.Equal(("b", 40, new MessageId("c", 30)), (read.Member, read.Number, read.Asked));
        Assert.Equal(state.Marks, read.State.Marks);
        Assert.Equal(state.Pending, read.State.Pending);
        Assert.Equal(state with { Marks = [], Pending = [] }, read.State with { Marks = [], Pending = [] });
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("1 who a")]
    [InlineData("1 who  30")]
    [InlineData("2 who a 30")]
    [InlineData("1 who a -30")]
    [InlineData("1 who a 4611686018427387905")]
    [InlineData("1 who a 99999999999999999999")]
    [InlineData("1 claim a 30 follows=b/20 reach=9223372036854775807-2")]
    [InlineData("1 who aaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbb 30")]
    [InlineData("1 claim a 30 reach=10-2")]
    [InlineData("1 claim a 30 follows=b/20")]
    [InlineData("1 claim a 30 follows=b reach=10-2")]
    [InlineData("1 claim a 30 follows=/20 reach=10-2")]
    [InlineData("1 claim a 30 follows=b/20 reach=10")]
    [InlineData("1 claim a 30 follows=b/20 reach=10-x")]
    [InlineData("1 claim a 30 follows=b/20 reach=10-99999999999")]
    [InlineData("1 fresh a 30 settled=10-2 config=4")]
    [InlineData("1 fresh a 30 asked=20 config=4")]
    [InlineData("1 fresh a 30 asked=20 settled=10-2")]
    [InlineData("1 resign a 30 settled=10-2")]
    [InlineData("1 resign a 30 claim=a/20")]
    [InlineData("1 config a 30")]
    [InlineData("1 state b 40 marker=77 claim=a/20 settled=25-3 marks= pending= config=4 origin=a-1/5")]
    [InlineData("1 state b 40 asked=c/30 claim=a/20 settled=25-3 marks= pending= config=4 origin=a-1/5")]
    [InlineData("1 state b 40 asked=c/30 marker=77 settled=25-3 marks= pending= config=4 origin=a-1/5")]
    [InlineData("1 state b 40 asked=c/30 marker=77 claim=a/20 marks= pending= config=4 origin=a-1/5")]
    [InlineData("1 state b 40 asked=c/30 marker=77 claim=a/20 settled=25-3 pending= config=4 origin=a-1/5")]
    [InlineData("1 state b 40 asked=c/30 marker=77 claim=a/20 settled=25-3 marks= config=4")]
    [InlineData("1 state b 40 asked=c/30 marker=77 claim=a/20 settled=25-3 marks= pending= origin=a-1/5")]
    [InlineData("1 state b 40 asked=c/30 marker=77 claim=a/20 settled=25-3 marks=a@9-0, pending= config=4 origin=a-1/5")]
    [InlineData("1 state b 40 asked=c/30 marker=77 claim=a/20 settled=25-3 marks=a9-0 pending= config=4 origin=a-1/5")]
    [InlineData("1 state b 40 asked=c/30 marker=77 claim=a/20 settled=25-3 marks= pending=c30 config=4 origin=a-1/5")]
    public void What_is_not_whole_or_of_another_version_is_no_message(string text) => Assert.Null(GroupMessageText.Read(text));

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void A_list_has_a_limit(int count, bool isRead)
    {
        var pending = string.Join(',', Enumerable.Repeat("c/30", count));
        Assert.Equal(isRead, GroupMessageText.Read($"1 state b 40 asked=c/30 marker=77 claim=a/20 settled=25-3 marks= pending={pending} config=4 origin=a-1/5") is not null);
    }

    [Theory]
    [InlineData("1 promote a 30 to=b")]
    [InlineData("1 ask a 30 what=promotion")]
    public void A_kind_that_is_not_known_counts_as_a_message(string text) => Assert.Equal(new GroupMessage.Other("a", 30), GroupMessageText.Read(text));

    [Fact]
    public void A_sealed_message_is_opened_with_the_same_secret_in_the_same_stream()
    {
        var seal = new MessageSeal([1, 2, 3]);
        var text = seal.Close("1 who a 30", 0xabc);
        Assert.Matches("^1 who a 30 seal=[0-9a-f]{64}$", text);
        Assert.Equal("1 who a 30", seal.TryOpen(text, 0xabc));
        Assert.Null(seal.TryOpen(text, 0xabd));
        Assert.Null(new MessageSeal([1, 2, 4]).TryOpen(text, 0xabc));
        Assert.Null(seal.TryOpen(text.Replace(" 30 ", " 31 ", StringComparison.Ordinal), 0xabc));
        Assert.Null(seal.TryOpen(text[..^1], 0xabc));
        Assert.Null(seal.TryOpen("1 who a 30", 0xabc));
    }

    [Fact]
    public void Without_a_secret_every_message_is_taken_also_one_that_is_sealed()
    {
        var open = new MessageSeal(null);
        Assert.Equal("1 who a 30", open.Close("1 who a 30", 0xabc));
        Assert.Equal("1 who a 30", open.TryOpen("1 who a 30", 0xabc));
        Assert.Equal("1 who a 30", open.TryOpen(new MessageSeal([1]).Close("1 who a 30", 0xabc), 0xabc));
    }
}
