using KeyEvt.Proxy.KeyspaceFanIn;
using Xunit;

namespace KeyEvt.Proxy.Tests.KeyspaceFanIn;

/// <summary>What waits for the pump, how much of it, and how often is the pump woken?</summary>
public sealed class NotificationInboxTests
{
    private readonly FanInName _name = new(isPattern: true, "a"u8.ToArray());

    [Fact]
    public void The_pump_is_woken_once_until_it_takes()
    {
        var woken = 0;
        var inbox = new NotificationInbox(() => woken++);
        inbox.Signal();
        Assert.Equal(0, woken);
        for (var i = 0; i < 3; i++)
        {
            Assert.True(inbox.TryAdd(_name, "*1"u8.ToArray()));
            inbox.Signal();
        }

        Assert.Equal((1, 3), (woken, inbox.BeginTaking()));
        inbox.Signal(); // as for one that was added while it takes
        Assert.Equal(2, woken);
        for (var i = 0; i < 3; i++) Assert.Equal("*1"u8, inbox.Take().Span);
        Assert.False(inbox.HasSome);
        Assert.True(inbox.Take().IsEmpty);
    }

    [Fact]
    public void It_is_bounded_and_has_room_again_for_what_was_taken()
    {
        var inbox = new NotificationInbox(() => { });
        var half = (NotificationInbox.MaxBytes / 2) - 1000;
        Assert.True(inbox.TryAdd(_name, new byte[half]));
        Assert.True(inbox.TryAdd(_name, new byte[half]));
        Assert.False(inbox.TryAdd(_name, new byte[half]));
        inbox.Take();
        Assert.True(inbox.TryAdd(_name, new byte[half]));
        Assert.False(inbox.TryAdd(_name, new byte[half]));
    }

    [Fact]
    public void What_nobody_wants_any_more_is_thrown_away()
    {
        var inbox = new NotificationInbox(() => { });
        inbox.TryAdd(_name, "*1"u8.ToArray());
        _name.Drop();
        Assert.True(inbox.Take().IsEmpty);
        Assert.False(inbox.HasSome);
        inbox.TryAdd(new FanInName(true, [1]), "*1"u8.ToArray());
        inbox.Close();
        Assert.True(inbox.TryAdd(new FanInName(true, [1]), "*1"u8.ToArray()));
        Assert.False(inbox.HasSome);
    }
}
