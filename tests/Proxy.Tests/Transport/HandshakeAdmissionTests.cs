using System.Net;
using System.Net.Sockets;
using KeyEvt.Proxy.Transport.Tls;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>Whose TLS handshake may run, and who has to leave? With a clock of its own and sockets that nobody is connected to.</summary>
public sealed class HandshakeAdmissionTests : IDisposable
{
    private static readonly IPAddress Attacker = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress Other = IPAddress.Parse("192.0.2.2");

    private readonly FakeTimeProvider _time = new();
    private readonly HandshakeAdmission _room;

    /// <summary>Of 16 waiting ones 4 silent and 8 speaking ones of one network; of 8 handshakes 2.</summary>
    public HandshakeAdmissionTests() => _room = new HandshakeAdmission(new HandshakeLimits(Waiting: 16, Handshakes: 8), _time);

    public void Dispose() => _room.Dispose();

    [Fact]
    public void Who_speaks_may_begin_at_once_however_many_of_its_own_network_are_silent()
    {
        var silent = Enumerable.Range(0, 100).Select(_ => Enter(Attacker)).ToList();
        Assert.True(_room.TurnAsync(Enter(Attacker)).IsCompletedSuccessfully);
        Assert.Equal(4, silent.Count(guest => !IsPutOut(guest)) + 1);
        Assert.True(IsPutOut(silent[0]));
        Assert.Equal("it says nothing, and others have come", silent[0].Reason);
        Assert.False(IsPutOut(silent[^1]));
    }

    [Fact]
    public void Silent_ones_of_many_networks_put_each_other_out_the_eldest_first()
    {
        var silent = Enumerable.Range(0, 100).Select(n => Enter(IPAddress.Parse($"198.51.100.{n}"))).ToList();
        Assert.Equal(84, silent.Count(IsPutOut));
        Assert.All(silent.Take(84), guest => Assert.True(IsPutOut(guest)));
    }

    [Fact]
    public void One_network_has_a_quarter_of_the_handshakes_and_its_further_ones_wait_for_each_other()
    {
        var first = Speak(Attacker, 3);
        Assert.Equal([true, true, false], first.Select(each => each.Turn.IsCompleted));
        Assert.True(Speak(Other, 1)[0].Turn.IsCompletedSuccessfully);
        _room.Leave(first[0].Guest);
        Assert.True(first[2].Turn.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task A_handshake_that_does_not_go_on_makes_room_after_2_seconds_where_others_wait_for_it_and_else_after_10()
    {
        var attacker = Speak(Attacker, 3);
        var alone = Speak(Other, 1)[0];
        _time.Advance(TimeSpan.FromSeconds(1.5));
        Assert.False(attacker[2].Turn.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(await attacker[2].Turn);
        Assert.True(IsPutOut(attacker[0].Guest));
        Assert.False(IsPutOut(alone.Guest));
        _time.Advance(TimeSpan.FromSeconds(8));
        Assert.True(IsPutOut(alone.Guest));
        Assert.Equal("no handshake within 10 s", alone.Guest.Reason);
    }

    [Fact]
    public void When_all_handshakes_are_taken_a_stalled_one_of_any_network_makes_room()
    {
        var all = Enumerable.Range(1, 4).SelectMany(n => Speak(IPAddress.Parse($"198.51.100.{n}"), 2)).ToList();
        Assert.All(all, each => Assert.True(each.Turn.IsCompletedSuccessfully));
        var late = Speak(Other, 1)[0];
        Assert.False(late.Turn.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.True(late.Turn.IsCompletedSuccessfully);
    }

    [Fact]
    public void More_than_half_of_the_room_is_not_for_the_waiting_of_one_network()
    {
        Speak(Attacker, 2 + 8);
        Assert.Null(_room.Enter(NewSocket(), Attacker, this));
        Assert.True(Speak(Other, 1)[0].Turn.IsCompletedSuccessfully);
    }

    [Fact]
    public void After_10_seconds_the_silent_are_put_out_and_nothing_is_left_of_them()
    {
        var silent = Enter(Attacker);
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(IsPutOut(silent));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(IsPutOut(silent));
        Assert.False(_room.Leave(silent));
        Assert.True(Speak(Attacker, 1)[0].Turn.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Those_who_wait_are_told_when_their_listener_ends()
    {
        var attacker = Speak(Attacker, 3);
        _room.PutOutAll(this);
        Assert.False(await attacker[2].Turn);
        Assert.All(attacker, each => Assert.True(IsPutOut(each.Guest)));
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("2001:db8:1:2::3", "2001:db8:1:2:ffff::4", true)]
    [InlineData("2001:db8:1:2::3", "2001:db8:1:3::3", false)]
    [InlineData("::", "0.0.0.0", false)]
    public void Addresses_of_IPv6_belong_together_by_their_first_half(string one, string other, bool together)
        => Assert.Equal(together, HandshakeLimits.NetworkOf(IPAddress.Parse(one)) == HandshakeLimits.NetworkOf(IPAddress.Parse(other)));

    [Theory]
    [InlineData(200, 25, 25)]
    [InlineData(1024, 128, 128)]
    [InlineData(1_048_576, 4096, 256)]
    public void A_process_that_may_have_few_open_files_keeps_most_of_them_for_sessions(long openFiles, int waiting, int handshakes)
        => Assert.Equal(new HandshakeLimits(waiting, handshakes), HandshakeLimits.For(openFiles));

    private PendingHandshake Enter(IPAddress from) => _room.Enter(NewSocket(), from, this) ?? throw new InvalidOperationException("no place");

    private List<(PendingHandshake Guest, Task<bool> Turn)> Speak(IPAddress from, int count) => [.. Enumerable.Range(0, count).Select(_ => Enter(from)).Select(guest => (guest, _room.TurnAsync(guest)))];

    private static bool IsPutOut(PendingHandshake guest) => guest.Socket.SafeHandle.IsClosed;

    private static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
}
