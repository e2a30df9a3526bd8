package main

import (
	"context"
	"net/http"
	"runtime"
	"strconv"

	"github.com/gin-gonic/gin"
)

type newOrder struct {
	SKU      string  `json:"sku"`
	Quantity int64   `json:"quantity"`
	Amount   float64 `json:"amount"`
	Express  bool    `json:"express"`
}

type receipt struct {
	Order int64 `json:"order"`
	Left  int64 `json:"left"`
}

// bare is the service without telemetry.
func bare() service {
	router := gin.New()
	router.POST("/orders/:id", create)
	nothing := func(context.Context) error { return nil }
	return service{handler: router, flush: nothing, shutdown: nothing}
}

func create(c *gin.Context) {
	id, order, ok := parse(c)
	if !ok {
		return
	}
	c.JSON(http.StatusOK, receipt{Order: id, Left: reserve(order.Quantity)})
}

// parse takes the order from path and body, or answers 400.
func parse(c *gin.Context) (id int64, order newOrder, ok bool) {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err == nil {
		err = c.ShouldBindJSON(&order)
	}
	if err != nil {
		c.AbortWithStatus(http.StatusBadRequest)
	}
	return id, order, err == nil
}

// reserve takes items from the stock. It yields once, as a query would.
func reserve(quantity int64) int64 {
	runtime.Gosched()
	return 500 - quantity
}
