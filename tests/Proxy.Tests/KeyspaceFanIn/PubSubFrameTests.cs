using System.Text;
using KeyEvt.Proxy.KeyspaceFanIn;
using Xunit;

namespace KeyEvt.Proxy.Tests.KeyspaceFanIn;

/// <summary>What is taken for a confirmation, a message or a pong, and what is not?</summary>
public sealed class PubSubFrameTests
{
    [Theory]
    [InlineData("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n", PubSubKind.Confirmation)]
    [InlineData(">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n", PubSubKind.Confirmation)]
    [InlineData(">3\r\n$10\r\npsubscribe\r\n$1\r\na\r\n:1\r\n", PubSubKind.PatternConfirmation)]
    [InlineData(">3\r\n$10\r\npsubscribe\r\n$1\r\na\r\n$1\r\n1\r\n", PubSubKind.Other)]
    [InlineData(">3\r\n$10\r\nssubscribe\r\n$1\r\na\r\n:1\r\n", PubSubKind.Other)]
    [InlineData(">3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n", PubSubKind.Other)]
    [InlineData("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n", PubSubKind.Message)]
    [InlineData("*4\r\n$8\r\npmessage\r\n$1\r\na\r\n$1\r\nc\r\n$1\r\nx\r\n", PubSubKind.PatternMessage)]
    [InlineData("*4\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nc\r\n$1\r\nx\r\n", PubSubKind.Other)]
    [InlineData("*2\r\n$4\r\npong\r\n$1\r\na\r\n", PubSubKind.Pong)]
    [InlineData(">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n", PubSubKind.Other)]
    [InlineData("*2\r\n*1\r\n:1\r\n$1\r\na\r\n", PubSubKind.Other)]
    [InlineData("*-1\r\n", PubSubKind.Other)]
    [InlineData("*0\r\n", PubSubKind.Other)]
    [InlineData("-NOPERM no\r\n", PubSubKind.Other)]
    [InlineData("$9\r\nsubscribe\r\n", PubSubKind.Other)]
    public void A_frame_is_what_its_words_and_shape_say(string frame, object kind)
    {
        var read = PubSubFrame.Read(Encoding.ASCII.GetBytes(frame));
        Assert.Equal(kind, read.Kind);
        if (read.Kind != PubSubKind.Other) Assert.Equal("a", Encoding.ASCII.GetString(read.Name));
    }
}
