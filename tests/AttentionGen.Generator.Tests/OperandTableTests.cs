using AttentionGen.Generator.Model;
using AttentionGen.Generator.Syntax;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>The table of operands has a row for each role, under its name.</summary>
public class OperandTableTests
{
    [Fact]
    public void The_table_has_a_row_for_each_role_in_their_order() => Assert.Equal(Enum.GetValues<Role>(), OperandTable.Rows.Select(row => row.Role));

    [Fact]
    public void Names_of_roles_are_those_of_the_enum() => Assert.All(OperandTable.Rows, row => Assert.Equal(row.Role.ToString(), row.Name, ignoreCase: true));

    [Fact]
    public void Every_row_says_what_it_is() => Assert.All(OperandTable.Rows, row => Assert.EndsWith(".", row.Text, StringComparison.Ordinal));

    [Fact]
    public void The_attributes_stand_under_the_name_that_is_looked_for() => Assert.Equal(KernelParser.AttributeName, typeof(AttentionAttribute).FullName);
}
