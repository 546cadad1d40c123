using KeyEvt.Forwarder.Delivery.Stores;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>How many of the oldest epoch are there?</summary>
public sealed class UnreadByEpochTests
{
    private readonly UnreadByEpoch _runs = new();

    [Fact]
    public void One_epoch_is_one_run()
    {
        _runs.Add(2, 3);
        _runs.Add(2, 4);
        _runs.Add(5, 1);
        Assert.Equal([(2, 7L), (5, 1L)], _runs.All);
        Assert.Equal(8, _runs.Count);
    }

    [Fact]
    public void What_is_taken_is_taken_from_the_oldest()
    {
        _runs.Add(2, 3);
        _runs.Add(3, 3);
        _runs.TakeFront(4);
        Assert.Equal((3, 2L), _runs.First);
        _runs.TakeFront(2);
        Assert.Equal((0, 0L), _runs.First);
        Assert.Equal(0, _runs.Count);
    }

    [Fact]
    public void What_is_found_is_as_old_as_the_oldest()
    {
        _runs.AddInFront(0, 2);
        _runs.Add(7, 1);
        _runs.AddInFront(0, 2);
        Assert.Equal([(0, 4L), (7, 1L)], _runs.All);
    }

    [Fact]
    public void What_turns_out_to_be_later_is_no_later_than_what_is_behind_it()
    {
        _runs.AddInFront(0, 5);
        Assert.True(_runs.TryRaiseFirst(4));
        _runs.Add(7, 1);
        _runs.Add(8, 1);
        Assert.False(_runs.TryRaiseFirst(4));
        Assert.True(_runs.TryRaiseFirst(6));
        Assert.Equal([(6, 5L), (7, 1L), (8, 1L)], _runs.All);
        Assert.True(_runs.TryRaiseFirst(9));
        Assert.Equal([(7, 6L), (8, 1L)], _runs.All);
        Assert.Equal(7, _runs.Count);
        _runs.TakeFront(7);
        Assert.False(_runs.TryRaiseFirst(9));
    }
}
