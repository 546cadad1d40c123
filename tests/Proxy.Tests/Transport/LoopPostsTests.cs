using KeyEvt.Proxy.Transport.Epoll;
using Xunit;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>Is everything run that was posted, whatever one of it does?</summary>
public sealed class LoopPostsTests : IDisposable
{
    private readonly LoopPosts _posts = new();
    private readonly List<int> _ran = [];

    public void Dispose() => _posts.OnLoopEnded();

    [Fact]
    public void A_post_that_throws_keeps_none_of_the_others_from_running_and_its_fault_is_told()
    {
        Post(1);
        PostFault("the first");
        Post(2);
        PostFault("the second");
        Post(3);
        Assert.Equal("the first", Assert.Throws<InvalidTimeZoneException>(() => _posts.OnEvents(0)).Message);
        Assert.Equal([1, 2, 3], _ran);
        _posts.OnEvents(0);
        Assert.Equal([1, 2, 3], _ran);
    }

    [Fact]
    public void What_was_posted_before_the_end_is_run_once_also_behind_a_fault()
    {
        PostFault("the fault");
        Post(1);
        Assert.Throws<InvalidTimeZoneException>(() => _posts.OnEvents(0));
        Post(2);
        PostFault("another");
        Post(3);
        Assert.Throws<InvalidTimeZoneException>(_posts.Close);
        Assert.Equal([1, 2, 3], _ran);
        Assert.False(_posts.TryPost(static _ => { }, this));
    }

    private void Post(int number) => Assert.True(_posts.TryPost(static state => ((Action)state)(), () => _ran.Add(number)));

    private void PostFault(string message) => Assert.True(_posts.TryPost(static state => throw new InvalidTimeZoneException((string)state), message));
}
